//! The roles that come with the program. They are written at every start, by their code: a later version of the
//! program may give them more or less. An issuer that wants another division of work makes roles of its own.

use std::collections::BTreeSet;

use domain::{
    Amount, RoleId,
    catalog::Scope::{
        self, AccountingRead, AccountingWrite, Adjust, ApproveAdjust, ApproveIssue, ApproveRefund,
        ApproveTerms, AuditRead, CardsExport, CardsIssue, CardsManage, CardsRead, CashOut, CatalogRead,
        CatalogWrite, Clients, Evidence, HolderRefund, LedgerRead, Load, PayoutsApprove, Platform,
        ReconciliationApprove, ReconciliationRead, ReconciliationWrite, Redeem, Refund, RefundUnlinked,
        ServiceRead, SettlementRead, SettlementWrite, Transfer, Users,
    },
    role::{Limit, Limits},
};

/// A role that comes with the program.
#[derive(Debug)]
pub struct BuiltIn {
    /// Its id, the same in every installation.
    pub id: RoleId,
    /// Its code.
    pub code: &'static str,
    /// Its name in Chinese.
    pub name_zh: &'static str,
    /// Its name in English.
    pub name_en: &'static str,
    /// What it lets do.
    pub permissions: &'static [Scope],
    /// How much without a second person.
    pub limits: Limits,
}

impl BuiltIn {
    /// Its permissions as a set.
    pub fn permission_set(&self) -> BTreeSet<Scope> {
        self.permissions.iter().copied().collect()
    }
}

const fn limit(per_operation: i64, per_day: i64) -> Limit {
    Limit { per_operation: amount(per_operation), per_day: amount(per_day) }
}

const fn amount(minor: i64) -> Amount {
    match Amount::new(minor) {
        Ok(amount) => amount,
        Err(_) => Amount::ZERO,
    }
}

/// Ten thousand a batch, fifty thousand a day; small corrections and refunds. In minor units of two decimals.
const MAKER: Limits = Limits {
    issue: limit(1_000_000, 5_000_000),
    adjust: limit(20_000, 100_000),
    unlinked_refund: limit(20_000, 100_000),
    terms: Limit::NONE,
};

/// Cards sold and loaded at a till: five thousand at once, a hundred thousand a day.
const TILL: Limits = Limits { issue: limit(500_000, 10_000_000), ..Limits::NONE };

/// All of them. Ids below the first that the engine makes.
pub const BUILT_IN: [BuiltIn; 10] = [
    BuiltIn {
        id: RoleId::new(1),
        code: "platform_admin",
        name_zh: "平台管理员",
        name_en: "Platform administrator",
        permissions: &[Platform],
        limits: Limits::NONE,
    },
    BuiltIn {
        id: RoleId::new(2),
        code: "issuer_admin",
        name_zh: "企业管理员",
        name_en: "Issuer administrator",
        permissions: &[
            CatalogRead,
            CatalogWrite,
            Clients,
            CardsIssue,
            CardsExport,
            CardsRead,
            CardsManage,
            Load,
            Redeem,
            Refund,
            RefundUnlinked,
            Transfer,
            Adjust,
            CashOut,
            LedgerRead,
            HolderRefund,
            Evidence,
            SettlementRead,
            SettlementWrite,
            PayoutsApprove,
            AccountingRead,
            AccountingWrite,
            ReconciliationRead,
            ReconciliationWrite,
            ReconciliationApprove,
            Users,
            AuditRead,
            ApproveIssue,
            ApproveAdjust,
            ApproveRefund,
            ApproveTerms,
            ServiceRead,
        ],
        limits: MAKER,
    },
    BuiltIn {
        id: RoleId::new(3),
        code: "program_manager",
        name_zh: "卡种经理",
        name_en: "Program manager",
        permissions: &[CatalogRead, CatalogWrite, CardsIssue, CardsExport, CardsRead, CardsManage],
        limits: Limits { issue: MAKER.issue, ..Limits::NONE },
    },
    BuiltIn {
        id: RoleId::new(4),
        code: "finance_maker",
        name_zh: "财务经办",
        name_en: "Finance, maker",
        permissions: &[
            CatalogRead,
            CardsRead,
            CardsIssue,
            Load,
            Adjust,
            RefundUnlinked,
            CashOut,
            HolderRefund,
            LedgerRead,
            SettlementRead,
            SettlementWrite,
            AccountingRead,
            AccountingWrite,
            ReconciliationRead,
            ReconciliationWrite,
        ],
        limits: MAKER,
    },
    BuiltIn {
        id: RoleId::new(5),
        code: "finance_checker",
        name_zh: "财务复核",
        name_en: "Finance, checker",
        permissions: &[
            CatalogRead,
            CardsRead,
            LedgerRead,
            SettlementRead,
            PayoutsApprove,
            AccountingRead,
            ReconciliationRead,
            ReconciliationApprove,
            ApproveIssue,
            ApproveAdjust,
            ApproveRefund,
            ApproveTerms,
        ],
        limits: Limits::NONE,
    },
    BuiltIn {
        id: RoleId::new(6),
        code: "risk_officer",
        name_zh: "风控专员",
        name_en: "Risk officer",
        permissions: &[CatalogRead, CardsRead, CardsManage, Evidence, LedgerRead, AuditRead, ServiceRead],
        limits: Limits::NONE,
    },
    BuiltIn {
        id: RoleId::new(7),
        code: "customer_service",
        name_zh: "客服",
        name_en: "Customer service",
        permissions: &[CatalogRead, CardsRead, CardsManage, Refund, RefundUnlinked, HolderRefund, Transfer],
        limits: Limits { unlinked_refund: MAKER.unlinked_refund, ..Limits::NONE },
    },
    BuiltIn {
        id: RoleId::new(8),
        code: "auditor",
        name_zh: "审计",
        name_en: "Auditor",
        permissions: &[
            CatalogRead,
            CardsRead,
            LedgerRead,
            SettlementRead,
            AccountingRead,
            ReconciliationRead,
            AuditRead,
            ServiceRead,
        ],
        limits: Limits::NONE,
    },
    BuiltIn {
        id: RoleId::new(9),
        code: "merchant_manager",
        name_zh: "商户经理",
        name_en: "Merchant manager",
        permissions: &[CatalogRead, CardsRead, Load, Redeem, Refund, SettlementRead, Users],
        limits: TILL,
    },
    BuiltIn {
        id: RoleId::new(10),
        code: "cashier",
        name_zh: "收银员",
        name_en: "Cashier",
        permissions: &[CatalogRead, CardsRead, Load, Redeem, Refund],
        limits: TILL,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_never_mix_the_platform_with_issuers() {
        for role in &BUILT_IN {
            let set = role.permission_set();
            assert_eq!(set.len(), role.permissions.len(), "{}", role.code);
            assert!(!set.contains(&Platform) || set.len() == 1, "{}", role.code);
        }
    }

    #[test]
    fn an_administrator_has_all_that_an_issuer_can_give() {
        let all: BTreeSet<Scope> = Scope::ALL.into_iter().filter(|scope| *scope != Platform).collect();
        assert_eq!(BUILT_IN[1].permission_set(), all, "a new permission belongs here too");
    }

    /// Makers and checkers are not the same people.
    #[test]
    fn who_makes_does_not_check() {
        let checks = [ApproveIssue, ApproveAdjust, ApproveRefund, ApproveTerms, PayoutsApprove];
        for role in BUILT_IN.iter().filter(|role| role.code != "issuer_admin") {
            let makes = [CardsIssue, Adjust, RefundUnlinked, SettlementWrite];
            let set = role.permission_set();
            let both = checks.iter().any(|s| set.contains(s)) && makes.iter().any(|s| set.contains(s));
            assert!(!both, "{}", role.code);
        }
    }

    #[test]
    fn auditors_only_read() {
        let auditor = BUILT_IN.iter().find(|role| role.code == "auditor").expect("an auditor");
        assert!(auditor.permissions.iter().all(|scope| scope.name().ends_with("_read")));
    }
}
