//! Key rings in JSON, files and the environment: what is refused, and that no key gets lost.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use tempfile::TempDir;
use vault::{KEYS_VARIABLE, KeyRing, KeyRingError, PredictableRandomness};

use crate::support::{KEY_1, KEY_2, ring_json};

fn random(seed: u64) -> PredictableRandomness {
    PredictableRandomness::from_seed(seed)
}

fn scratch() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("keys.json");
    (folder, path)
}

fn set_mode(path: &PathBuf, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("own file");
}

fn mode(path: &PathBuf) -> u32 {
    fs::metadata(path).expect("a file").permissions().mode() & 0o7777
}

#[test]
fn json_is_read_or_refused_with_the_reason() {
    fn check(json: &str, expected: &str) {
        let error = KeyRing::from_json(json).expect_err(json).to_string();
        assert!(error.contains(expected), "{json}: {error}");
        assert!(!error.contains(KEY_1) && !error.contains(KEY_2), "no key in {error}");
    }
    let keys = |keys: &str| format!(r#"{{"current": 1, "keys": {keys}}}"#);
    check("", "expected {\"current\"");
    check("null", "expected {\"current\"");
    check("[]", "expected {\"current\"");
    check(&format!("\"{KEY_1}\""), "expected {\"current\"");
    check(&format!(r#"{{"current": "{KEY_1}", "keys": {{}}}}"#), "line 1, column");
    check(&format!(r#"{{"current": 1, "keys": {{"1": "{KEY_1}"}}, "{KEY_2}": 1}}"#), "line 1, column");
    check(&format!(r#"{{"current": 1, "current": 1, "keys": {{"1": "{KEY_1}"}}}}"#), "line 1, column");
    check(&format!(r#"{{"current": 300, "keys": {{"1": "{KEY_1}"}}}}"#), "line 1, column");
    check(&keys("{}"), "no key 1");
    check(&keys(&format!(r#"{{"2": "{KEY_1}"}}"#)), "no key 1");
    for id in ["0", "256", "-1", "+1", "01", "", "one", KEY_2] {
        check(&keys(&format!(r#"{{"1": "{KEY_1}", "{id}": "{KEY_2}"}}"#)), "entry 2 has an id");
    }
    for value in
        ["", "short", &KEY_1[1..], &KEY_1.replace('0', "g"), &KEY_2.replace('Z', "*"), &"长".repeat(16)]
    {
        check(&keys(&format!(r#"{{"1": "{value}"}}"#)), "keys.1: a key is 32 bytes");
    }
    check(&keys(&format!(r#"{{"1": "{}"}}"#, "00".repeat(32))), "keys.1: this key is not random");
    check(&keys(&format!(r#"{{"1": "{}"}}"#, "changeme".repeat(8))), "keys.1: a key is 32 bytes");
    check(&keys(&format!(r#"{{"1": "{KEY_1}", "1": "{KEY_2}"}}"#)), "keys.1: this id occurs twice");
    let upper = KEY_1.to_uppercase();
    check(&keys(&format!(r#"{{"3": "{KEY_1}", "1": "{upper}"}}"#)), "keys.3: the same key as keys.1");
}

#[test]
fn base64_may_come_without_padding() {
    let padded = KeyRing::from_json(&ring_json(2)).expect("a good ring");
    let unpadded = KeyRing::from_json(&ring_json(2).replace("oM=", "oM")).expect("a good ring");
    assert_eq!(*padded.to_json(), *unpadded.to_json());
}

#[test]
fn a_ring_survives_its_json() {
    let ring = KeyRing::from_json(&ring_json(2)).expect("a good ring");
    let again = KeyRing::from_json(&ring.to_json()).expect("its own JSON");
    assert_eq!(*again.to_json(), *ring.to_json());
    assert_eq!((again.current_id(), again.key_ids().collect::<Vec<_>>()), (2, vec![2, 1]));
}

#[test]
fn a_full_ring_fits_its_file_and_takes_no_more_keys() {
    let (_folder, path) = scratch();
    let mut ring = KeyRing::generate(&mut random(1));
    for expected in 2..=255 {
        assert_eq!(ring.rotate(&mut random(u64::from(expected))).expect("room"), expected);
    }
    assert!(matches!(ring.rotate(&mut random(256)), Err(KeyRingError::Full)));
    assert_eq!(ring.key_ids().count(), 255, "a refused rotation changes nothing");
    ring.save(&path).expect("saved");
    assert_eq!(*KeyRing::load(&path).expect("loaded").to_json(), *ring.to_json());
}

#[test]
fn rotation_behind_the_highest_id_uses_a_free_one() {
    let json = format!(r#"{{"current": 255, "keys": {{"1": "{KEY_1}", "255": "{KEY_2}"}}}}"#);
    let mut ring = KeyRing::from_json(&json).expect("a good ring");
    assert_eq!(ring.rotate(&mut random(1)).expect("room"), 2);
    assert_eq!(ring.key_ids().collect::<Vec<_>>(), [2, 255, 1]);
}

#[test]
fn a_file_that_others_may_read_is_refused_with_the_cure() {
    let (_folder, path) = scratch();
    fs::write(&path, ring_json(1)).expect("written");
    for open in [0o640, 0o604, 0o644, 0o660, 0o620, 0o601, 0o777] {
        set_mode(&path, open);
        let error = KeyRing::load(&path).expect_err("open to others");
        assert!(matches!(error, KeyRingError::Exposed { mode, .. } if mode == open));
        assert!(error.to_string().contains(&format!("chmod 600 {}", path.display())), "{error}");
        assert!(matches!(KeyRing::load_or_create(&path, &mut random(1)), Err(KeyRingError::Exposed { .. })));
    }
    for closed in [0o600, 0o400] {
        set_mode(&path, closed);
        assert_eq!(KeyRing::load(&path).expect("closed to others").current_id(), 1);
    }
}

#[test]
fn a_missing_file_is_made_once_and_then_loaded() {
    let (folder, _) = scratch();
    let path = folder.path().join("new/folder/keys.json");
    assert!(matches!(KeyRing::load(&path), Err(KeyRingError::Io { .. })));
    let made = KeyRing::load_or_create(&path, &mut random(1)).expect("made");
    assert_eq!((mode(&path), made.current_id()), (0o600, 1));
    let loaded = KeyRing::load_or_create(&path, &mut random(2)).expect("loaded");
    assert_eq!(*loaded.to_json(), *made.to_json());
    let names: Vec<_> = fs::read_dir(path.parent().expect("a folder")).expect("readable").collect();
    assert_eq!(names.len(), 1, "nothing is left beside it");
}

#[test]
fn processes_that_start_at_once_agree_on_one_ring() {
    let (_folder, path) = scratch();
    let rings: Vec<String> = std::thread::scope(|scope| {
        let path = &path;
        let start = |seed| scope.spawn(move || KeyRing::load_or_create(path, &mut random(seed)));
        let started: Vec<_> = (0..8).map(start).collect();
        let ring = |thread: std::thread::ScopedJoinHandle<_>| thread.join().expect("no panic");
        started.into_iter().map(ring).map(|loaded| loaded.expect("a ring").to_json().to_string()).collect()
    });
    assert!(rings.iter().all(|ring| *ring == rings[0]));
}

#[test]
fn rotations_at_once_lose_no_key() {
    let (_folder, path) = scratch();
    KeyRing::load_or_create(&path, &mut random(0)).expect("made");
    std::thread::scope(|scope| {
        for seed in 1..=10 {
            let path = &path;
            scope.spawn(move || KeyRing::rotate_file(path, &mut random(seed)).expect("rotated"));
        }
    });
    let ring = KeyRing::load(&path).expect("loaded");
    assert_eq!((ring.current_id(), ring.key_ids().count(), mode(&path)), (11, 11, 0o600));
}

#[test]
fn saving_never_loses_a_key() {
    let (_folder, path) = scratch();
    let mut ring = KeyRing::load_or_create(&path, &mut random(1)).expect("made");
    let foreign = KeyRing::generate(&mut random(2));
    assert!(matches!(foreign.save(&path), Err(KeyRingError::WouldLoseKey { key_id: 1, .. })));
    ring.rotate(&mut random(3)).expect("room");
    ring.save(&path).expect("adds a key");
    assert_eq!(*KeyRing::load(&path).expect("loaded").to_json(), *ring.to_json());
    fs::write(&path, "damaged").expect("written");
    assert!(matches!(ring.save(&path), Err(KeyRingError::In { .. })), "a damaged file may still be rescued");
    assert_eq!(fs::read_to_string(&path).expect("readable"), "damaged");
}

#[test]
fn what_a_crash_left_behind_does_not_stop_saving() {
    let (folder, path) = scratch();
    fs::write(folder.path().join("keys.json.new"), "half a fi").expect("written");
    KeyRing::generate(&mut random(1)).save(&path).expect("saved");
    assert_eq!(KeyRing::load(&path).expect("loaded").current_id(), 1);
}

#[test]
fn a_link_stays_a_link() {
    let (folder, path) = scratch();
    let link = folder.path().join("link.json");
    KeyRing::generate(&mut random(1)).save(&path).expect("saved");
    symlink(&path, &link).expect("linked");
    KeyRing::rotate_file(&link, &mut random(2)).expect("rotated");
    assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
    assert_eq!(KeyRing::load(&path).expect("loaded").current_id(), 2);
}

#[test]
fn wrong_kinds_of_file_are_refused() {
    let (folder, path) = scratch();
    let error = KeyRing::load(folder.path()).expect_err("a folder");
    assert!(matches!(error, KeyRingError::NotAFile { .. }));
    fs::write(&path, vec![b' '; 70_000]).expect("written");
    set_mode(&path, 0o600);
    assert!(matches!(KeyRing::load(&path), Err(KeyRingError::TooLarge { .. })));
    fs::write(&path, "").expect("written");
    let error = KeyRing::load(&path).expect_err("empty").to_string();
    assert!(error.contains("keys.json") && error.contains("expected {"), "{error}");
}

/// Changing a process's own environment is not safe in Rust, so this test looks at itself in a child.
#[test]
fn the_environment_may_hold_the_ring() {
    fn in_child(value: Option<&str>, expected: &str) {
        let mut child = std::process::Command::new(std::env::current_exe().expect("this test"));
        child.args(["--exact", "key_ring::child_of_the_environment_test", "--nocapture"]);
        child.env("VAULT_TEST_EXPECTED", expected).env_remove(KEYS_VARIABLE);
        if let Some(value) = value {
            child.env(KEYS_VARIABLE, value);
        }
        let output = child.output().expect("the child runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    }
    in_child(None, "none");
    in_child(Some(&ring_json(2)), "KeyRing { current: 2, key_ids: [2, 1], .. }");
    in_child(Some("{}"), "key ring in HEXIAO_KEYS: line 1, column 2: expected");
}

#[test]
fn child_of_the_environment_test() {
    let Ok(expected) = std::env::var("VAULT_TEST_EXPECTED") else { return };
    let found = match KeyRing::from_environment() {
        Ok(None) => "none".to_owned(),
        Ok(Some(ring)) => format!("{ring:?}"),
        Err(error) => error.to_string(),
    };
    assert!(found.starts_with(&expected), "{found}");
}
