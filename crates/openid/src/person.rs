//! Who somebody is, as his provider says.

use openidconnect::core::CoreIdTokenClaims;

use crate::OpenIdError;

/// Longest subject (OpenID Connect Core 1.0, section 2).
const LONGEST_SUBJECT: usize = 255;
const LONGEST_EMAIL: usize = 254;

/// Who somebody is.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// The provider's name for him, which it never gives to anybody else.
    pub subject: String,
    /// His e-mail address, if the provider says that it has verified it.
    pub verified_email: Option<String>,
    /// Whether the provider says that he proved himself in two ways.
    pub two_factors: bool,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person").field("two_factors", &self.two_factors).finish_non_exhaustive()
    }
}

impl Person {
    /// What claims say that were verified.
    pub(crate) fn of(claims: &CoreIdTokenClaims) -> Result<Self, OpenIdError> {
        let subject = claims.subject().as_str();
        if subject.is_empty() || subject.len() > LONGEST_SUBJECT || subject.chars().any(char::is_control) {
            return Err(OpenIdError::Refused("the subject has to have 1 to 255 characters"));
        }
        let email = claims.email().filter(|_| claims.email_verified() == Some(true));
        let email = email.map(|email| email.as_str()).filter(|email| email.len() <= LONGEST_EMAIL);
        let methods: Vec<&str> =
            claims.auth_method_refs().into_iter().flatten().map(|method| method.as_str()).collect();
        let context = claims.auth_context_ref().map(|context| context.as_str());
        Ok(Self {
            subject: subject.to_owned(),
            verified_email: email.map(str::to_owned),
            two_factors: is_two_factors(&methods, context),
        })
    }
}

/// Whether the methods (`amr`, RFC 8176) or the context (`acr`) of a sign-in say two factors: by name, or by methods of
/// two kinds.
fn is_two_factors(methods: &[&str], context: Option<&str>) -> bool {
    const KNOWLEDGE: &[&str] = &["pwd", "pin", "kba"];
    const POSSESSION: &[&str] = &["otp", "sms", "tel", "hwk", "swk", "sc", "pop"];
    const INHERENCE: &[&str] = &["face", "fpt", "iris", "retina", "vbm"];
    // Multi-factor by the policies of PAPE, and phishing-resistant by those of the OpenID EAP profile.
    const CONTEXTS: &[&str] =
        &["http://schemas.openid.net/pape/policies/2007/06/multi-factor", "phr", "phrh"];
    let kinds = [KNOWLEDGE, POSSESSION, INHERENCE];
    let given = kinds.iter().filter(|kind| methods.iter().any(|method| kind.contains(method))).count();
    methods.contains(&"mfa") || given >= 2 || context.is_some_and(|context| CONTEXTS.contains(&context))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_factors_are_named_or_of_two_kinds() {
        for (methods, context, expect) in [
            (&[][..], None, false),
            (&["pwd"], None, false),
            (&["pwd", "pin"], None, false),
            (&["otp", "sms"], None, false),
            (&["wia"], Some("1"), false),
            (&["mfa"], None, true),
            (&["pwd", "otp"], None, true),
            (&["hwk", "fpt"], None, true),
            (&["MFA"], None, false),
            (&[], Some("phr"), true),
            (&["pwd"], Some("http://schemas.openid.net/pape/policies/2007/06/multi-factor"), true),
        ] {
            assert_eq!(is_two_factors(methods, context), expect, "{methods:?} {context:?}");
        }
    }
}
