//! What people sign in with: an e-mail address, or any name without spaces.

/// The most characters.
pub const MAX_LOGIN: usize = 100;

/// The one form under which a login is kept and looked up: small letters, nothing around it. None if it cannot
/// be one.
pub fn normalized(text: &str) -> Option<String> {
    let login = text.trim().to_lowercase();
    let length = login.chars().count();
    let fits = (3..=MAX_LOGIN).contains(&length)
        && login.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '@' | '+'));
    fits.then_some(login)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_have_one_form() {
        for (text, expect) in [
            ("Admin", Some("admin")),
            (" li.wei@Example.com ", Some("li.wei@example.com")),
            ("王小明", Some("王小明")),
            ("ab", None),
            ("two words", None),
            ("a\u{0}b\u{0}c", None),
        ] {
            assert_eq!(normalized(text).as_deref(), expect, "{text:?}");
        }
        assert!(normalized(&"a".repeat(101)).is_none());
    }
}
