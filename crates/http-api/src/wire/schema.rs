//! The schemas of scalar types: exact enough that whatever they accept is never refused as malformed.

use std::sync::LazyLock;

use domain::{Currency as DomainCurrency, Decline, OperationKind as Kind, catalog, lot, policy::refund};
use serde_json::{Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

const ID_TAIL: &str = "[0-7][0-9a-hjkmnp-tv-z]{12}";
const NO_CONTROL: &str = "^[^\\u0000-\\u001f\\u007f]+$";
const MAX_AMOUNT: i64 = domain::Amount::MAX.get();

fn read(schema: Value) -> RefOr<Schema> {
    serde_json::from_value(schema).unwrap_or_else(|error| panic!("a schema of this file is wrong: {error}"))
}

fn id(prefix: &str, what: &str) -> Value {
    json!({
        "type": "string", "description": format!("The id of {what}."),
        "pattern": format!("^{prefix}_{ID_TAIL}$"), "example": format!("{prefix}_00000003nqk8n")
    })
}

fn one_of_texts(description: &str, values: impl AsRef<[&'static str]>) -> Value {
    let values = values.as_ref();
    json!({"type": "string", "description": description, "enum": values})
}

fn text(description: &str, max: usize) -> Value {
    json!({
        "type": "string", "description": description, "minLength": 1, "maxLength": max,
        "pattern": NO_CONTROL
    })
}

fn whole(description: &str, min: i64, max: i64) -> Value {
    json!({"type": "integer", "format": "int64", "description": description, "minimum": min, "maximum": max})
}

/// Every code that the currency type accepts.
fn currencies() -> &'static [String] {
    static ALL: LazyLock<Vec<String>> = LazyLock::new(all_currencies);
    &ALL
}

fn all_currencies() -> Vec<String> {
    let letters = || 'A'..='Z';
    let pairs = letters().flat_map(|a| letters().map(move |b| (a, b)));
    let codes = pairs.flat_map(|(a, b)| letters().map(move |c| String::from_iter([a, b, c])));
    codes.filter(|code| DomainCurrency::parse(code).is_ok()).collect()
}

fn account_pattern() -> String {
    let issuer = "(promotion|fees|breakage|residual|bank|suspense):iss_";
    format!("^(card:card_{ID_TAIL}|merchant:mer_{ID_TAIL}|channel:[a-z0-9_]{{1,12}}|{issuer}{ID_TAIL})$")
}

macro_rules! scalars {
    ($( $name:ident = $schema:expr; )*) => {
        $(
            /// Stands for the schema of this name in the description.
            pub(crate) struct $name;

            impl PartialSchema for $name {
                fn schema() -> RefOr<Schema> {
                    read($schema)
                }
            }

            impl ToSchema for $name {}
        )*

        /// All of them with their names.
        pub(crate) fn all() -> Vec<(String, RefOr<Schema>)> {
            vec![ $( (<$name as ToSchema>::name().into_owned(), $name::schema()), )* ]
        }
    };
}

scalars! {
    IssuerId = id("iss", "an issuer");
    ProgramId = id("prog", "a program");
    BatchId = id("batch", "a batch");
    CardId = id("card", "a card");
    MerchantId = id("mer", "a merchant");
    ApprovalId = id("apr", "an approval");
    LimitKind = one_of_texts("Work that has limits.", domain::role::LimitKind::ALL.map(domain::role::LimitKind::name));
    ApprovalSubject = one_of_texts(
        "What is asked for.",
        storage::ApprovalSubject::ALL.iter().map(|subject| subject.name()).collect::<Vec<_>>()
    );
    ApprovalState = one_of_texts(
        "How far an approval is.",
        storage::ApprovalState::ALL.iter().map(|state| state.name()).collect::<Vec<_>>()
    );
    ApprovalAction = one_of_texts(
        "What was done about an approval.",
        ["asked", "approved", "rejected", "withdrawn", "expired", "done", "failed"]
    );
    AgreementId = id("agr", "an agreement");
    StatementId = id("st", "a statement");
    PayoutId = id("po", "a payout");
    PayeeId = id("pye", "a bank account of a merchant");
    InvitationStatus = one_of_texts("Which invitations.", ["open"]);
    StatementStatus = one_of_texts("How far a statement is.", ["open", "closing", "closed"]);
    PayoutStatus = one_of_texts("How far a payout is.",
        ["proposed", "approved", "rejected", "sent", "confirmed", "returned"]);
    LineKind = one_of_texts("What a line of a statement is about.", settlement::MovementKind::ALL.map(settlement::MovementKind::name));
    PaymentDirection = one_of_texts("Which way the money went.", ["received", "returned"]);
    PayoutFileFormat = one_of_texts("The form of a file of payouts.", ["pain001", "template"]);
    BuiltInPayoutTemplate = one_of_texts("A template of payout files that comes with the program.",
        ["delimited", "spreadsheet"]);
    PayoutTemplate = json!({"type": "object", "description": "A bank's format of payout files as data.",
        "additionalProperties": true});
    DocumentFormat = one_of_texts("The form of a document.", ["csv", "xlsx", "pdf"]);
    Language = one_of_texts("The language of a document.", ["zh", "en"]);
    Year = whole("A year.", 2000, 9998);
    Terms = super::terms::schema();
    StoreId = id("store", "a store");
    TerminalId = id("term", "a terminal");
    ClientId = id("client", "an API client");
    UserId = id("user", "a user");
    OperationId = id("op", "an operation");
    HoldId = id("hold", "a hold");
    Amount = whole("An amount in minor units of the currency: 3500 is 35.00 CNY.", 1, MAX_AMOUNT);
    AnyAmount = whole("An amount in minor units of the currency, or nothing.", 0, MAX_AMOUNT);
    Total = whole("A sum in minor units of the currency.", i64::MIN, i64::MAX);
    Currency = json!({
        "type": "string", "description": "An ISO 4217 code.", "enum": currencies(), "example": "CNY"
    });
    CardNumber = json!({
        "type": "string", "description": "A card number: 16 to 19 digits.", "pattern": "^[0-9]{16,19}$"
    });
    Pin = json!({"type": "string", "description": "A PIN: 4 to 12 digits.", "pattern": "^[0-9]{4,12}$"});
    CardName = json!({
        "description": "A card by its number or by its id.",
        "oneOf": [
            {"type": "object", "required": ["number"], "additionalProperties": false,
             "properties": {"number": {"$ref": "#/components/schemas/CardNumber"}}},
            {"type": "object", "required": ["id"], "additionalProperties": false,
             "properties": {"id": {"$ref": "#/components/schemas/CardId"}}}
        ]
    });
    PayingCard = json!({
        "description": "A card by its number, by its id, or by the payment code that its holder's device shows.",
        "oneOf": [
            {"type": "object", "required": ["number"], "additionalProperties": false,
             "properties": {"number": {"$ref": "#/components/schemas/CardNumber"}}},
            {"type": "object", "required": ["id"], "additionalProperties": false,
             "properties": {"id": {"$ref": "#/components/schemas/CardId"}}},
            {"type": "object", "required": ["code"], "additionalProperties": false,
             "properties": {"code": {"$ref": "#/components/schemas/PaymentCode"}}}
        ]
    });
    PaymentCode = json!({
        "type": "string", "pattern": "^28[0-9]{18}$",
        "description": "A payment code: 20 digits, accepted once and for one minute."
    });
    LookupRequest = json!({
        "description": "A card by its number, with its PIN where its program has a rule for PINs, or by a payment \
                        code, which is not used up by that.",
        "oneOf": [
            {"type": "object", "required": ["number"], "additionalProperties": false,
             "properties": {"number": {"$ref": "#/components/schemas/CardNumber"},
                            "pin": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Pin"}]}}},
            {"type": "object", "required": ["code"], "additionalProperties": false,
             "properties": {"code": {"$ref": "#/components/schemas/PaymentCode"}}}
        ]
    });
    Phone = json!({
        "type": "string", "pattern": "^([+][1-9][0-9]{6,14}|1[3-9][0-9]{9})$", "example": "13800000001",
        "description": "A mainland mobile number of 11 digits, or + with the country code."
    });
    SignInCode = json!({"type": "string", "pattern": "^[0-9]{6}$", "description": "A sign-in code: 6 digits."});
    HolderId = id("holder", "a card holder");
    DeviceId = id("device", "a device");
    GiftId = id("gift", "a gift");
    GiftState = one_of_texts("Where a gift is in its life.", storage::GiftState::ALL.map(storage::GiftState::name));
    GiftDirection = one_of_texts("Which way a gift goes.", ["incoming", "outgoing"]);
    Channel = json!({
        "type": "string", "description": "A sales channel.", "pattern": "^[a-z0-9_]{1,12}$",
        "example": "web"
    });
    Trace = json!({
        "type": "integer", "format": "int32", "minimum": 0, "maximum": 999_999,
        "description": "The terminal's own number of the transaction. Needs a terminal."
    });
    Reference = text("Your own reference, such as a receipt number.", 128);
    Name = text("A name.", 100);
    Reason = text("Why it is done.", 200);
    Member = text("The member, in your own words.", 64);
    Metadata = json!({
        "type": "object", "description": "Your own data: names and texts.", "maxProperties": 10,
        "propertyNames": {"type": "string", "pattern": "^[A-Za-z0-9_.-]{1,40}$"},
        "additionalProperties": {
            "type": "string", "maxLength": 80, "pattern": "^[^\\u0000-\\u001f\\u007f]*$"
        }
    });
    Moment = json!({
        "type": "string", "format": "date-time", "description": "A moment, RFC 3339.",
        "example": "2026-11-22T08:15:30.123456Z"
    });
    Date = json!({
        "type": "string", "format": "date", "description": "A date in the issuer's time zone.",
        "example": "2026-11-22"
    });
    Last4 = json!({
        "type": "string", "description": "The last four digits of a card number.", "pattern": "^[0-9]{4}$"
    });
    CardState = one_of_texts(
        "Where a card is in its life.",
        domain::card::StateCode::ALL.iter().map(|state| state.name()).collect::<Vec<_>>()
    );
    OperationKind = one_of_texts("What an operation did.", Kind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>());
    OperationStatus = one_of_texts("How an operation was decided.", ["approved", "declined"]);
    DeclineCode = one_of_texts("Why it was declined.", Decline::ALL.iter().map(|d| d.code()).collect::<Vec<_>>());
    Destination = one_of_texts("Where a refund went.", ["card", "successor", "residual"]);
    Direction = one_of_texts("Onto the card, or off it.", ["credit", "debit"]);
    LotSource = one_of_texts(
        "Where value came from.",
        lot::LotSource::ALL.iter().map(|source| source.name()).collect::<Vec<_>>()
    );
    BuyerKind = one_of_texts("Who buys.", ["company", "person"]);
    PaymentMeans = one_of_texts("How it is paid.", ["bank_transfer", "cash", "card", "credit_card", "other"]);
    PayoutMeans = one_of_texts("How a holder is paid.", ["bank_transfer", "cash"]);
    AccountNumber = json!({
        "type": "string", "description": "The number of a bank account: 4 to 64 letters and digits.",
        "pattern": "^[A-Za-z0-9]{4,64}$", "example": "6222020200012345678"
    });
    RefundCause = one_of_texts(
        "Why a holder is refunded.",
        refund::Cause::ALL.iter().map(|cause| cause.name()).collect::<Vec<_>>()
    );
    RefundItem = one_of_texts(
        "What a line of a refund is.",
        refund::Item::ALL.iter().map(|item| item.name()).collect::<Vec<_>>()
    );
    InterestRate = json!({
        "type": "integer", "format": "int32", "minimum": 0, "maximum": refund::MAX_RATE,
        "description": "A yearly rate in basis points: 300 is 3 %."
    });
    PackId = json!({
        "type": "string", "description": "The name of a policy pack; see GET /v1/policy-packs.",
        "pattern": "^[a-z0-9-]{1,40}$", "example": "cn-single-purpose"
    });
    HoldStatus = one_of_texts(
        "Where a hold is in its life.",
        ["open", "captured", "released", "expired"]
    );
    HoldSeconds = json!({
        "type": "integer", "format": "int32", "minimum": 1, "maximum": 2_592_000,
        "description": "How long a hold lasts, in seconds: at most 30 days."
    });
    Span = json!({
        "type": "integer", "format": "int32", "minimum": 1, "maximum": 65_535,
        "description": "How many."
    });
    Scope = one_of_texts(
        "What a client may do.",
        catalog::Scope::ALL.iter().map(|scope| scope.name()).collect::<Vec<_>>()
    );
    Status = one_of_texts("Whether it still does business.", ["active", "closed"]);
    ReconciliationId = id("rec", "a reconciliation");
    DifferenceId = id("diff", "a difference");
    ReconciliationStatus = one_of_texts("How far a reconciliation is.", ["running", "complete"]);
    DifferenceStatus = one_of_texts("Where the work on a difference stands.", ["open", "proposed", "approved", "cleared"]);
    DifferenceClass = one_of_texts(
        "How the two sides disagree.",
        ["missing_here", "missing_there", "amount_differs", "duplicate", "status_differs", "late"]
    );
    DifferenceAction = one_of_texts(
        "What somebody did.",
        ["proposed", "approved", "rejected", "posted", "returned", "cleared"]
    );
    DifferenceAge = one_of_texts("Whole days.", ["0-7", "8-30", "31-90", "over-90"]);
    LineStatus = one_of_texts("What became of it, by the file.", ["succeeded", "failed", "pending"]);
    FileFormat = one_of_texts("The format of a file.", ["csv", "xlsx", "camt.053", "wechat", "alipay"]);
    FileName = text("What you call the file.", 200);
    MatchOn = one_of_texts("What references are compared with.", ["reference", "operation", "key"]);
    WindowSeconds = whole("Seconds.", 0, 2_678_400);
    LineCount = whole("How many lines.", 0, 1_000_000);
    Note = text("Why.", 500);
    BatchStatus = one_of_texts("How far a batch is.", ["running", "complete", "failed"]);
    RoleId = id("role", "a role");
    SessionId = id("sess", "a session");
    InvitationId = id("inv", "an invitation");
    AuditEventId = id("aud", "an event of the audit trail");
    IdentityProviderId = id("idp", "an identity provider");
    ViewId = id("view", "a saved view");
    PasskeyId = id("pk", "a passkey");
    PasskeyBytes = json!({
        "type": "string", "description": "Bytes as base64url without padding.",
        "minLength": 1, "maxLength": 22_000, "pattern": "^[A-Za-z0-9_-]*$"
    });
    PasskeyKind = one_of_texts("What kind of credential.", ["public-key"]);
    ProviderAddress = text("The address by which an identity provider calls itself; it begins with https://.", 500);
    ProviderClient = text("Our name at an identity provider.", 200);
    ProviderSecret = json!({
        "type": "string", "description": "What proves us to an identity provider.",
        "minLength": 1, "maxLength": 500, "pattern": NO_CONTROL, "format": "password"
    });
    SignInPage = one_of_texts("Where somebody goes on after signing in.", ["console", "till"]);
    Login = text("What somebody signs in with: an e-mail address, or a name without spaces.", 100);
    Password = json!({
        "type": "string", "description": "A password: 1 to 128 characters; a new one has at least 12.",
        "minLength": 1, "maxLength": 128, "format": "password"
    });
    OneTimePassword = json!({
        "type": "string", "description": "What an authenticator shows.", "pattern": "^[0-9]{6}$"
    });
    RecoveryCode = json!({
        "type": "string", "description": "A recovery code, with or without dashes.",
        "pattern": "^[0-9A-Za-z-]{12,20}$"
    });
    InvitationToken = json!({
        "type": "string", "description": "The token of an invitation's link.", "pattern": "^[A-Za-z0-9_-]{43}$"
    });
    RoleName = text("A role, by its id or its code.", 40);
    RoleCode = json!({
        "type": "string", "description": "The name of a role for programs.", "pattern": "^[a-z][a-z0-9_]{1,39}$"
    });
    SignInStatus = one_of_texts(
        "How far signing in is.",
        ["complete", "second_factor_needed", "second_factor_enrolment_needed"]
    );
    ViewPage = json!({
        "type": "string", "description": "Which list.", "pattern": "^[a-z][a-z0-9_-]{0,39}$"
    });
    ViewQuery = json!({
        "type": "string", "description": "How it is filtered.", "maxLength": 2000,
        "pattern": "^[^\\u0000-\\u001f\\u007f]*$"
    });
    AuditAction = text("A method and a route, such as `POST /v1/users/{id}`.", 200);
    AuditOutcome = one_of_texts("How it ended.", ["succeeded", "refused", "failed"]);
    Version = json!({
        "type": "integer", "format": "int64", "minimum": 1, "maximum": 4_294_967_295_u32,
        "description": "The version that a change is based on: what the last read said."
    });
    Rate = json!({
        "type": "integer", "format": "int32", "minimum": 1, "maximum": 1_000_000,
        "description": "Requests per second, averaged; bursts of as many are accepted."
    });
    NumberPrefix = json!({
        "type": "string", "description": "What card numbers start with: 2 to 8 digits.",
        "pattern": "^[0-9]{2,8}$"
    });
    NumberLength = json!({
        "type": "integer", "format": "int32", "minimum": 16, "maximum": 19,
        "description": "The length of card numbers."
    });
    TimeZone = json!({
        "type": "string", "description": "An IANA time zone.", "minLength": 1, "maxLength": 64,
        "pattern": NO_CONTROL, "example": "Asia/Shanghai"
    });
    BatchCount = json!({
        "type": "integer", "format": "int32", "minimum": 1, "maximum": 1_000_000,
        "description": "How many cards."
    });
    IdempotencyKey = json!({
        "type": "string", "pattern": "^[!-~]{1,128}$", "example": "0192f3a4-5b6c-7d8e-9fa0-b1c2d3e4f506",
        "description": "What names an operation, for ever, within your client. A UUIDv7 or ULID is best."
    });
    Limit = json!({
        "type": "integer", "format": "int32", "minimum": 1, "maximum": 200, "default": 50,
        "description": "How many items a page has."
    });
    Cursor = json!({
        "type": "string", "pattern": format!("^c_{ID_TAIL}$"), "description": "Where a page goes on."
    });
    NormalSide = one_of_texts("The side on which a balance is usually found.", ["debit", "credit"]);
    Account = json!({
        "type": "string", "pattern": account_pattern(), "example": "merchant:mer_00000003nqk8n",
        "description": "An account: `card:…`, `merchant:…`, `channel:…`, `promotion:…`, `fees:…`, \
                        `breakage:…`, `residual:…`, `bank:…` or `suspense:…`."
    });
}
