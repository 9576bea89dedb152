//! The manual is complete, and the exit codes are as it says.

use crate::support::Sandbox;

#[test]
fn every_command_explains_itself() {
    let sandbox = Sandbox::new();
    let manual = sandbox.run(&["--help"]);
    assert_eq!(manual.code, 0);
    for part in ["Units:", "Exit codes:", "Examples:", "hexiao.db.keys", "--db", "HEXIAO_DB"] {
        assert!(manual.out.contains(part), "{part}");
    }
    for command in [
        &["serve"][..],
        &["client", "create"],
        &["import"],
        &["replay"],
        &["bench"],
        &["verify"],
        &["backup"],
        &["restore"],
        &["keys", "list"],
        &["keys", "rotate"],
    ] {
        let page = sandbox.run(&[command, &["--help"]].concat());
        assert_eq!(page.code, 0, "{command:?}");
        let about = page.out.lines().next().unwrap_or_default();
        assert!(about.len() > 10, "{command:?} says what it does: {about:?}");
    }
    assert_eq!(sandbox.run(&["fly"]).code, 2);
    sandbox.run(&["verify", "--db", "mysql://localhost/x"]).refused(2, "postgres://");
    sandbox.run(&["verify"]).refused(1, "hexiao.db");
    let none = std::fs::read_dir(sandbox.folder()).expect("a folder").count();
    assert_eq!(none, 0, "asking makes nothing");
}

#[test]
fn errors_are_json_for_machines() {
    let sandbox = Sandbox::new();
    let done = sandbox.run(&["verify", "--json"]);
    let error: serde_json::Value = serde_json::from_str(done.err.trim()).expect("one line of JSON");
    assert!(error["error"].as_str().expect("a text").contains("hexiao.db"));
}
