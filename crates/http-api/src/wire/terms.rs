//! The schema of an agreement's terms.

use serde_json::{Value, json};

fn whole(description: &str, min: i64, max: i64) -> Value {
    json!({"type": "integer", "description": description, "minimum": min, "maximum": max})
}

fn amount(description: &str) -> Value {
    whole(description, 0, domain::Amount::MAX.get())
}

fn variant(kind: &str, fields: &[(&str, Value)], required: &[&str]) -> Value {
    let mut properties = serde_json::Map::new();
    properties.insert("kind".to_owned(), json!({"type": "string", "enum": [kind]}));
    properties.extend(fields.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())));
    let required: Vec<&str> = std::iter::once("kind").chain(required.iter().copied()).collect();
    json!({"type": "object", "additionalProperties": false, "properties": properties, "required": required})
}

fn cycle() -> Value {
    let days = whole("Working days until it is due.", 0, 30);
    let weekdays = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
    let weekday = json!({"type": "string", "description": "The last day of the period.", "enum": weekdays});
    let month = json!({"description": "The last day of the period.", "oneOf":
        [whole("A day that every month has.", 1, 28), {"type": "string", "enum": ["last"]}]});
    json!({
        "description": "How often the merchant is settled: T+N working days, each week, each month.",
        "oneOf": [
            variant("t_plus", &[("days", days.clone())], &["days"]),
            variant("weekly", &[("weekday", weekday), ("plus", days.clone())], &["weekday"]),
            variant("monthly", &[("day", month), ("plus", days)], &["day"]),
        ]
    })
}

fn fees() -> Value {
    let points = || whole("A share in basis points.", 0, 10_000);
    let tier = json!({
        "type": "object", "additionalProperties": false, "required": ["from", "basis_points"],
        "properties": {"from": amount("The volume of the month from which it applies."), "basis_points": points()}
    });
    json!({
        "type": "object", "additionalProperties": false, "description": "What the merchant pays.",
        "properties": {
            "basis_points": points(),
            "fixed": amount("For each sale, in minor units."),
            "tiers": {"type": "array", "items": tier, "description": "Shares by the sales of the month, at most 20."},
            "floor": amount("The least for one sale, in minor units."),
            "cap": amount("The most for one sale, in minor units."),
            "yearly": amount("For each calendar year, in minor units."),
        }
    })
}

fn splits() -> Value {
    let merchant = json!({"type": "string", "pattern": "^mer_[0-7][0-9a-hjkmnp-tv-z]{12}$"});
    let share = json!({"oneOf": [
        variant("percent", &[("basis_points", whole("A share of the base.", 1, 10_000))], &["basis_points"]),
        variant("fixed", &[("amount", amount("The same of each sale, in minor units."))], &["amount"]),
    ]});
    let receiver = json!({
        "type": "object", "additionalProperties": false, "required": ["merchant", "share"],
        "properties": {"merchant": merchant.clone(), "share": share}
    });
    json!({
        "type": "object", "additionalProperties": false, "required": ["receivers"],
        "description": "Who else has a part in each sale.",
        "properties": {
            "base": {"type": "string", "enum": ["gross", "net"], "description": "The sale, or the sale less its fee."},
            "receivers": {"type": "array", "items": receiver, "description": "1 to 20 receivers."},
            "rest": merchant,
        }
    })
}

/// The schema.
pub(crate) fn schema() -> Value {
    json!({
        "type": "object", "additionalProperties": false, "required": ["cycle"],
        "description": "The terms on which a merchant is settled.",
        "properties": {
            "cycle": cycle(),
            "cut_off": {
                "type": "string", "pattern": "^(00:0[1-9]|00:[1-5][0-9]|(0[1-9]|1[0-9]|2[0-3]):[0-5][0-9]|24:00)$",
                "description": "When a settlement day ends, in the issuer's time zone; 24:00 if not given."
            },
            "minimum_payout": amount("Less is carried forward, in minor units."),
            "negative": {"type": "string", "enum": ["carry", "invoice"], "description": "What becomes of a negative balance."},
            "fees": fees(),
            "fee_rounding": {"type": "string", "enum": ["per_operation", "per_statement"], "description": "Where fees are rounded, half to even."},
            "refunds_return_fee": {"type": "boolean", "description": "Whether refunds give the fee back."},
            "splits": splits(),
        }
    })
}
