//! What a password must be: long, and not what everybody tries first (NIST SP 800-63B, 5.1.1.2). No rules about
//! kinds of characters, and no change without a reason.

use zeroize::Zeroizing;

/// The fewest characters.
pub const MIN_CHARACTERS: usize = 12;
/// The most characters: hashing must stay cheap to refuse.
pub const MAX_CHARACTERS: usize = 128;

/// A password as typed. Prints masked, and is wiped when dropped.
#[derive(Clone)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// What was typed.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(***)")
    }
}

/// What is tried first by those who guess, without what stands around it. What begins another comes after it.
const COMMON: [&str; 24] = [
    "password",
    "passw0rd",
    "qwertyuiop",
    "qwerty",
    "asdfghjkl",
    "zxcvbnm",
    "letmein",
    "welcome",
    "iloveyou",
    "administrator",
    "admin",
    "changeme",
    "secret",
    "default",
    "hexiao",
    "woaini",
    "mima",
    "abc",
    "root",
    "test",
    "login",
    "monkey",
    "dragon",
    "football",
];

/// Why it is refused, if it is.
pub fn check(password: &Password, login: &str) -> Result<(), &'static str> {
    let text = password.0.as_str();
    let characters = text.chars().count();
    if characters < MIN_CHARACTERS {
        return Err("use at least 12 characters: a few words are easy to remember and hard to guess");
    }
    if characters > MAX_CHARACTERS {
        return Err("use at most 128 characters");
    }
    let small = Zeroizing::new(text.to_lowercase());
    let name = login.split('@').next().unwrap_or(login);
    if name.chars().count() >= 3 && small.contains(name) {
        return Err("leave your own name out of it");
    }
    let mut letters: Vec<char> = small.chars().collect();
    letters.sort_unstable();
    letters.dedup();
    if letters.len() < 6 {
        return Err("use more different characters");
    }
    if is_run(&small) || is_common(&small) {
        return Err(
            "this is among the first that are tried; use a few words that nobody else would put together",
        );
    }
    Ok(())
}

/// Whether each character follows the one before it: 123456789012, abcdefghijkl.
fn is_run(text: &str) -> bool {
    let codes: Vec<u32> = text.chars().map(u32::from).collect();
    let steps = |step: i64| {
        let follows = |pair: &&[u32]| i64::from(pair[1]) - i64::from(pair[0]) == step;
        codes.windows(2).filter(follows).count() + 3 >= codes.len()
    };
    steps(1) || steps(-1)
}

/// Whether nothing is left of it but digits and signs once what everybody uses is taken out.
fn is_common(text: &str) -> bool {
    let mut rest = Zeroizing::new(text.to_owned());
    for word in COMMON {
        *rest = rest.replace(word, "");
    }
    rest.chars().filter(|c| c.is_alphabetic()).count() < 2 && rest.chars().count() <= 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_long_and_not_what_everybody_tries() {
        let check = |text: &str, ok: bool| {
            assert_eq!(check(&Password::new(text.to_owned()), "li.wei@example.com").is_ok(), ok, "{text}");
        };
        for good in ["correct horse battery staple", "早上好今天的天气真不错呀哈", "tr4vel-kettle-moss"]
        {
            check(good, true);
        }
        for bad in [
            "short",
            "aaaaaaaaaaaaaaaa",
            "123456789012",
            "abcdefghijklmn",
            "password1234!",
            "Qwertyuiop12",
            "adminadmin2026",
            "li.wei-is-my-name",
            &"ab1cd2".repeat(30),
        ] {
            check(bad, false);
        }
    }

    #[test]
    fn a_password_prints_masked() {
        assert_eq!(format!("{:?}", Password::new("tr4vel-kettle-moss".to_owned())), "Password(***)");
    }
}
