//! Errors as answers: problem+json (RFC 9457) with a stable code.
//!
//! A handler returns a [`Problem`]; the gate writes it out with the id of the request.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use domain::{Decline, Refusal, refusal::RefusalKind};
use engine::{CatalogError, SubmitError, issue::IssueError};
use serde::Serialize;
use storage::StorageError;
use utoipa::ToSchema;

use crate::wire::policy_view::PolicyRule;

macro_rules! codes {
    ($( $name:ident = $status:literal, $code:literal, $title:literal; )*) => {
        /// What went wrong, as far as this interface finds it itself. Codes never change.
        #[expect(clippy::enum_variant_names, reason = "names of codes, of which one is about codes")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Code { $( $name, )* }

        impl Code {
            /// All codes.
            pub(crate) const ALL: &'static [Self] = &[ $( Self::$name, )* ];

            /// The HTTP status, the stable code, and what it means.
            pub(crate) const fn describe(self) -> (u16, &'static str, &'static str) {
                match self { $( Self::$name => ($status, $code, $title), )* }
            }
        }
    };
}

codes! {
    MalformedJson = 400, "malformed_json", "The body is not JSON";
    UnknownField = 400, "unknown_field", "The body has a field that does not exist";
    MissingField = 400, "missing_field", "The body lacks a field";
    InvalidField = 400, "invalid_field", "A field has a wrong type or value";
    InvalidAmount = 400, "invalid_amount", "An amount is not a whole number of minor units within bounds";
    InvalidParameter = 400, "invalid_parameter", "A parameter of the path or the query is wrong";
    TooManyItems = 400, "too_many_items", "The list is empty or too long";
    KeyMissing = 400, "idempotency_key_missing", "The header Idempotency-Key is missing";
    KeyInvalid = 400, "idempotency_key_invalid", "The header Idempotency-Key is not a usable key";
    CredentialsMissing = 401, "credentials_missing", "The request carries no API key";
    CredentialsInvalid = 401, "credentials_invalid", "The API key is not valid";
    LoginFailed = 401, "login_failed", "The name or the password is wrong";
    SessionEnded = 401, "session_ended", "The session has ended";
    SecondFactorNeeded = 401, "second_factor_needed", "Signing in is not finished";
    SecondFactorWrong = 401, "second_factor_wrong", "The code is wrong or was used";
    SessionMissing = 403, "session_missing", "This is for people who are signed in";
    CsrfToken = 403, "csrf_token", "Nothing shows that one of our own pages sent this";
    UserUnknown = 404, "user_unknown", "No such user within reach";
    IdentityProviderUnknown = 404, "identity_provider_unknown", "No such identity provider within reach";
    IdentityProviderRefused = 409, "identity_provider_refused", "An identity provider cannot be like that";
    IdentityProviderUnreachable = 503, "identity_provider_unreachable", "The identity provider does not answer as it should";
    RoleUnknown = 404, "role_unknown", "No such role within reach";
    SessionUnknown = 404, "session_unknown", "No such session within reach";
    PasskeyUnknown = 404, "passkey_unknown", "No such passkey";
    PasskeyRefused = 409, "passkey_refused", "The passkey cannot be added";
    PasskeysElsewhere = 409, "passkeys_elsewhere", "There are no passkeys at this address";
    PasswordNeeded = 409, "password_needed", "The session began too long ago for this";
    ViewUnknown = 404, "view_unknown", "No such saved view";
    InvitationEnded = 404, "invitation_ended", "The invitation is not good any more";
    PasswordWeak = 409, "password_weak", "The password is too easy to guess";
    PasswordWrong = 409, "password_wrong", "The current password is wrong";
    LoginRefused = 409, "login_refused", "This cannot be the login";
    RoleCodeTaken = 409, "role_code_taken", "There is a role with this code";
    RoleBuiltIn = 409, "role_built_in", "Roles that come with the program do not change";
    OwnRights = 409, "own_rights", "Nobody changes his own rights";
    SecondFactorState = 409, "second_factor_state", "The second factor is not at this step";
    NoRoom = 409, "no_room", "There is no room, or the name is taken";
    LoginLocked = 429, "login_locked", "Too many tries to sign in";
    HolderSessionMissing = 401, "holder_session_missing", "Nobody is signed in at the wallet";
    SignInFailed = 401, "sign_in_failed", "The sign-in code is wrong, has ended or was used";
    ScopeMissing = 403, "scope_missing", "The client lacks the scope";
    NotPermitted = 403, "not_permitted", "The client may not do this";
    RouteUnknown = 404, "route_unknown", "There is no such route";
    IssuerUnknown = 404, "issuer_unknown", "No such issuer within reach";
    ProgramUnknown = 404, "program_unknown", "No such program within reach";
    MerchantUnknown = 404, "merchant_unknown", "No such merchant within reach";
    StoreUnknown = 404, "store_unknown", "No such store within reach";
    TerminalUnknown = 404, "terminal_unknown", "No such terminal within reach";
    ClientUnknown = 404, "client_unknown", "No such client within reach";
    BatchUnknown = 404, "batch_unknown", "No such batch within reach";
    CardUnknown = 404, "card_unknown", "No such card within reach";
    CardNotFound = 404, "card_not_found", "The number is unknown, or the PIN is wrong or missing";
    CodeUnknown = 404, "code_unknown", "No device shows this payment code";
    DeviceUnknown = 404, "device_unknown", "No such device within reach";
    GiftUnknown = 404, "gift_unknown", "No such gift within reach";
    OperationUnknown = 404, "operation_unknown", "No such operation within reach";
    AccountUnknown = 404, "account_unknown", "No such account within reach";
    ReconciliationUnknown = 404, "reconciliation_unknown", "No such reconciliation or difference within reach";
    AgreementUnknown = 404, "agreement_unknown", "No such agreement within reach";
    StatementUnknown = 404, "statement_unknown", "No such statement within reach";
    PayoutUnknown = 404, "payout_unknown", "No such payout within reach";
    ApprovalUnknown = 404, "approval_unknown", "No such approval within reach";
    MethodNotAllowed = 405, "method_not_allowed", "The route has no such method";
    BodyTimeout = 408, "body_timeout", "The body did not arrive in time";
    CodeUsed = 409, "code_used", "The payment code was used before";
    CodeExpired = 409, "code_expired", "The payment code is too old";
    CardTaken = 409, "card_taken", "The card is in another wallet";
    CardUnusable = 409, "card_unusable", "The card is in no state for this";
    WalletFull = 409, "wallet_full", "The wallet has as many cards as it can";
    GiftState = 409, "gift_state", "The gift is not at the step before this one";
    VersionConflict = 409, "version_conflict", "Somebody else changed it first";
    RulesContradict = 409, "rules_contradict", "The program's rules contradict each other";
    PolicyPackUnknown = 404, "policy_pack_unknown", "No such policy pack";
    PolicyPackFixed = 409, "policy_pack_fixed", "The program keeps its policy pack";
    PolicyPackUnsuited = 409, "policy_pack_unsuited", "The policy pack is about other cards";
    PolicyRuleBroken = 409, "policy_rule_broken", "A rule of the policy pack is broken";
    TimeZoneUnknown = 409, "time_zone_unknown", "There is no such time zone";
    ProgramClosed = 409, "program_closed", "The program is closed";
    DenominationNotAllowed = 409, "denomination_not_allowed", "The card may not be sold for this amount";
    FaceValueRequired = 409, "face_value_required", "The cards need a face value";
    BatchNotComplete = 409, "batch_not_complete", "The batch is not complete";
    ExportUnderWay = 409, "export_under_way", "Somebody is exporting the secrets right now";
    AlreadyExported = 409, "already_exported", "The secrets were exported before";
    FileRefused = 409, "file_refused", "The file cannot be reconciled; nothing of it is kept";
    DifferenceStatus = 409, "difference_status", "The difference is not at the step before this one";
    SecondPersonNeeded = 409, "second_person_needed", "Who proposed it cannot approve it";
    ApprovalState = 409, "approval_state", "The approval was decided already";
    ApprovalStale = 409, "approval_stale", "The approval waited too long";
    ApprovalMaker = 409, "approval_maker", "Who asked for it may not do this any more";
    TermsContradict = 409, "terms_contradict", "What was given contradicts something or leaves its bounds";
    StatementOpen = 409, "statement_open", "The statement is still open";
    PayoutStatus = 409, "payout_status", "The payout is not at the step before this one";
    PayeeMissing = 409, "payee_missing", "The merchant has no bank account in force";
    DocumentRefused = 409, "document_refused", "The document cannot be written with what was given";
    NumbersExhausted = 409, "numbers_exhausted", "The program's range of numbers is used up";
    BodyTooLarge = 413, "body_too_large", "The body is too large";
    MediaTypeUnsupported = 415, "media_type_unsupported", "The body is not declared as JSON";
    RateLimited = 429, "rate_limited", "Too many requests";
    Internal = 500, "internal_error", "The server is at fault";
    QueueFull = 503, "queue_full", "Too many requests are waiting";
    Stopped = 503, "stopped", "The server is stopping";
    Busy = 503, "busy", "The database is busy or cannot be reached";
    OutcomeUnknown = 504, "outcome_unknown", "The answer did not come in time; whether something was stored is not known";
}

/// What a refused request is answered with.
#[derive(Clone, Debug)]
pub(crate) struct Problem(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: String,
    pointer: Option<String>,
    parameter: Option<&'static str>,
    retry_after: Option<u64>,
    rule: Option<domain::policy::BrokenRule>,
}

/// A problem in the words of RFC 9457.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody<'a> {
    /// Always `about:blank`: `code` says what it is about.
    #[serde(rename = "type")]
    kind: &'static str,
    /// What the code means.
    title: &'a str,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// The stable code to build on.
    code: &'a str,
    /// What is wrong and how to mend it.
    detail: &'a str,
    /// The offending field, as a JSON pointer (RFC 6901) into the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<&'a str>,
    /// The offending parameter of the path, query or header.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<&'a str>,
    /// The rule of a policy pack that is broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_rule: Option<PolicyRule<'a>>,
    /// The id of the request, to ask the operator about.
    request_id: &'a str,
}

impl Problem {
    /// A problem with a cure in its detail.
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        let (status, code, title) = code.describe();
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(1);
        let inner = Inner {
            status,
            code,
            title,
            detail: detail.into(),
            pointer: None,
            parameter: None,
            retry_after,
            rule: None,
        };
        Self(Box::new(inner))
    }

    /// The same about a field of the body.
    #[must_use]
    pub(crate) fn at(mut self, pointer: impl Into<String>) -> Self {
        let pointer = pointer.into();
        self.0.pointer = (!pointer.is_empty()).then_some(pointer);
        self
    }

    /// The same about a parameter.
    #[must_use]
    pub(crate) fn parameter(mut self, name: &'static str) -> Self {
        self.0.parameter = Some(name);
        self
    }

    /// A rule of a policy pack is broken, by a field below `prefix`.
    pub(crate) fn broken(breach: domain::policy::Breach, prefix: &str) -> Self {
        let mut rule = domain::policy::BrokenRule::from(breach);
        rule.pointer = format!("{prefix}{}", rule.pointer);
        let mut problem = Self::new(Code::PolicyRuleBroken, breach.to_string()).at(rule.pointer.clone());
        problem.0.rule = Some(rule);
        problem
    }

    /// The same with the seconds after which it is worth trying again.
    #[must_use]
    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after = Some(seconds);
        self
    }

    /// Puts a pointer that names the card of a command where this request has it. `""` means the path.
    #[must_use]
    pub(crate) fn card_at(mut self, place: &'static str) -> Self {
        if self.0.pointer.as_deref() == Some("/card") {
            self.0.pointer = (!place.is_empty()).then(|| place.to_owned());
        }
        self
    }

    /// The same inside a list.
    #[must_use]
    pub(crate) fn below(mut self, prefix: &str) -> Self {
        let pointer = self.0.pointer.take().unwrap_or_default();
        self.0.pointer = Some(format!("{prefix}{pointer}"));
        self
    }

    /// Whether it is certain that nothing was done, and that the same again would be refused for the same reason.
    pub(crate) fn is_refusal(&self) -> bool {
        self.0.status.is_client_error()
            && !matches!(self.0.status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
    }

    /// The HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        self.0.status
    }

    /// What is wrong and how to mend it.
    pub(crate) fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The offending field.
    pub(crate) fn pointer(&self) -> Option<&str> {
        self.0.pointer.as_deref()
    }

    /// The rule of a policy pack that is broken.
    pub(crate) fn rule(&self) -> Option<&domain::policy::BrokenRule> {
        self.0.rule.as_ref()
    }

    /// The stable code.
    pub(crate) fn code(&self) -> &'static str {
        self.0.code
    }

    /// Seconds after which it is worth trying again.
    pub(crate) fn retry_seconds(&self) -> Option<u64> {
        self.0.retry_after
    }

    /// The body.
    pub(crate) fn body<'a>(&'a self, request_id: &'a str) -> ProblemBody<'a> {
        ProblemBody {
            kind: "about:blank",
            title: self.0.title,
            status: self.0.status.as_u16(),
            code: self.0.code,
            detail: &self.0.detail,
            pointer: self.0.pointer.as_deref(),
            parameter: self.0.parameter,
            policy_rule: self.0.rule.as_ref().map(PolicyRule::new),
            request_id,
        }
    }
}

impl IntoResponse for Problem {
    /// Without a body: the gate writes it, because only the gate knows the request's id.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (code, pointer, kind, detail) = refusal.describe();
        let (status, title) = match kind {
            RefusalKind::Malformed => (StatusCode::BAD_REQUEST, "The request is wrong"),
            RefusalKind::Unknown => (StatusCode::NOT_FOUND, "It names something that is not there"),
            RefusalKind::Conflict => (StatusCode::CONFLICT, "It contradicts the state of things"),
            RefusalKind::Fault => (StatusCode::INTERNAL_SERVER_ERROR, "The server is at fault"),
        };
        let inner = Inner {
            status,
            code,
            title,
            detail: detail.to_owned(),
            pointer: None,
            parameter: None,
            retry_after: None,
            rule: None,
        };
        Self(Box::new(inner)).at(pointer)
    }
}

impl From<SubmitError> for Problem {
    fn from(error: SubmitError) -> Self {
        let code = match error {
            SubmitError::QueueFull => Code::QueueFull,
            SubmitError::TooMany => Code::TooManyItems,
            SubmitError::Stopped => Code::Stopped,
        };
        Self::new(code, error.to_string())
    }
}

impl From<StorageError> for Problem {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Busy(_) | StorageError::Unavailable(_) => {
                Self::new(Code::Busy, "the database is busy; send the same request again in a second")
            }
            StorageError::InDoubt(_) => Self::new(
                Code::OutcomeUnknown,
                "the connection to the database broke; look whether it is stored",
            ),
            error => {
                tracing::error!(%error, "the store failed");
                Self::new(
                    Code::Internal,
                    "the store failed; ask the operator, who finds the reason in the log",
                )
            }
        }
    }
}

impl From<CatalogError> for Problem {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::VersionConflict | CatalogError::Taken(_) => {
                Self::new(Code::VersionConflict, error.to_string()).at("/version")
            }
            CatalogError::Storage(error) => error.into(),
        }
    }
}

impl From<IssueError> for Problem {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Exhausted | IssueError::Number(_) => {
                Self::new(Code::NumbersExhausted, error.to_string()).at("/program")
            }
            IssueError::Submit(error) => error.into(),
            IssueError::Storage(error) => error.into(),
            IssueError::Seal(_) | IssueError::ProgramUnknown | IssueError::Activation(_) => {
                tracing::error!(%error, "a card could not be made");
                Self::new(Code::Internal, "the card could not be made; ask the operator")
            }
        }
    }
}

/// Every code in Markdown, for `docs/api-errors.md`.
pub(crate) fn reference() -> String {
    use std::fmt::Write;
    let mut text = String::from(include_str!("error_reference_head.md"));
    let mut rows: Vec<(u16, &str, &str)> = Code::ALL.iter().map(|code| code.describe()).collect();
    for refusal in Refusal::ALL {
        let (code, _, kind, detail) = refusal.describe();
        let status = match kind {
            RefusalKind::Malformed => 400,
            RefusalKind::Unknown => 404,
            RefusalKind::Conflict => 409,
            RefusalKind::Fault => 500,
        };
        if !rows.iter().any(|row| row.1 == code) {
            rows.push((status, code, detail));
        }
    }
    rows.sort_unstable();
    text.push_str("\n## Refusals\n\n| status | code | meaning |\n|---|---|---|\n");
    for (status, code, meaning) in rows {
        let _ = writeln!(text, "| {status} | `{code}` | {meaning} |");
    }
    text.push_str(include_str!("error_reference_declines.md"));
    text.push_str("\n| code | a retry under a new key can succeed |\n|---|---|\n");
    for decline in Decline::ALL {
        let retryable = if decline.retryable() { "yes" } else { "no" };
        let _ = writeln!(text, "| `{}` | {retryable} |", decline.code());
    }
    text
}
