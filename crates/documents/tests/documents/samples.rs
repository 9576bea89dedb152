//! Statements, payouts and postings as the tests use them: figures computed here from the lines, independently of
//! the crate.

use documents::{
    AgreementSummary, BankAccount, CycleSummary, FeeRounding, FeeSummary, FeeTier, Format, Language,
    LineKind, NegativeBalance, Party, PayeePayment, PayoutFile, Section, SplitBase, SplitShare, SplitSummary,
    Statement, StatementLine, StatementWriter, Totals, Written,
};
use domain::{Amount, Currency};
use jiff::civil::{date, datetime, time};

pub(crate) const DIGEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

pub(crate) fn agreement() -> AgreementSummary {
    AgreementSummary {
        reference: "agr_0H5V8K2M3N4P5 / 3".to_owned(),
        effective_from: date(2026, 7, 1),
        cycle: CycleSummary::TPlus(1),
        cut_off: Some(time(23, 30, 0, 0)),
        minimum_payout: 10_000,
        negative: NegativeBalance::Carried,
        fees: FeeSummary {
            percentage: None,
            fixed: Some(10),
            tiers: vec![
                FeeTier { from: 0, percentage: 60, fixed: 0 },
                FeeTier { from: 100_000_000, percentage: 45, fixed: 0 },
            ],
            floor: Some(1),
            cap: Some(5_000),
            yearly: Some(120_000),
            rounding: FeeRounding::PerOperation,
            returned_on_refund: true,
        },
        splits: vec![
            SplitSummary {
                receiver: "上海滨江商业管理有限公司".to_owned(),
                share: SplitShare::Percentage(500),
            },
            SplitSummary { receiver: "本商户".to_owned(), share: SplitShare::Rest },
        ],
        split_base: SplitBase::Net,
    }
}

/// `count` lines over several days: mostly sales, every ninth a refund of the one before, some late, some split.
pub(crate) fn lines(count: usize) -> Vec<StatementLine> {
    (0..count)
        .map(|index| {
            let number = i64::try_from(index).expect("small");
            let at = datetime(2026, 9, 30, 9, 0, 0, 0) + jiff::SignedDuration::from_secs(number * 97);
            let refund = index % 9 == 8;
            let amount = (number * 7_919) % 250_000 + 1;
            let (fee, split) = (amount * 60 / 10_000, if index % 3 == 0 { amount / 20 } else { 0 });
            let sign = if refund { -1 } else { 1 };
            StatementLine {
                operation: format!("op_0H5V{:09}", 700_000 + index),
                kind: if refund { LineKind::Refund } else { LineKind::Sale },
                at,
                day: if at.time() >= time(23, 30, 0, 0) {
                    at.date().tomorrow().expect("a day")
                } else {
                    at.date()
                },
                place: place(index),
                amount: sign * amount,
                fee: sign * fee,
                split: sign * split,
                original: refund.then(|| format!("op_0H5V{:09}", 700_000 + index - 1)),
                late: index % 211 == 5,
            }
        })
        .collect()
}

fn place(index: usize) -> Option<String> {
    match index % 4 {
        0 => Some("南京西路店 POS-01".to_owned()),
        1 => Some("上海浦东国际机场二号航站楼出发层免税区旗舰店 POS-12".to_owned()),
        2 => Some("Century Avenue".to_owned()),
        _ => None,
    }
}

pub(crate) fn totals(lines: &[StatementLine]) -> Totals {
    let sum =
        |kind: LineKind| lines.iter().filter(|line| line.kind == kind).map(|line| line.amount).sum::<i64>();
    let mut totals = Totals {
        opening: 12_345,
        sales: sum(LineKind::Sale),
        refunds: sum(LineKind::Refund),
        fees: lines.iter().map(|line| line.fee).sum(),
        yearly_fee: 120_000,
        splits_out: lines.iter().map(|line| line.split).sum(),
        ..Totals::default()
    };
    totals.closing =
        totals.opening + totals.sales + totals.refunds - totals.fees - totals.yearly_fee - totals.splits_out;
    totals.payout = totals.closing.max(0);
    totals.carried = totals.closing - totals.payout;
    totals
}

pub(crate) fn statement(language: Language, lines: &[StatementLine]) -> Statement {
    Statement {
        number: "stm_0H5V8K2M3N4P5".to_owned(),
        language,
        issuer: Party { name: "上海示例预付卡服务有限公司".to_owned(), ..Party::default() },
        merchant: Party {
            name: "上海市浦东新区陆家嘴金融贸易区滨江大道示例餐饮管理（集团）股份有限公司第一分公司"
                .to_owned(),
            number: Some("mer_0H5V8K2M3N4P5".to_owned()),
            registration: Some("91310115MA1K4EXAMP".to_owned()),
        },
        currency: Currency::CNY,
        from: date(2026, 9, 30),
        to: date(2026, 10, 7),
        due: date(2026, 10, 8),
        due_estimated: false,
        agreement: agreement(),
        totals: totals(lines),
        generated: date(2026, 10, 8).at(6, 5, 4, 0).in_tz("Asia/Shanghai").expect("a time zone"),
        digest: Some(DIGEST.to_owned()),
    }
}

/// Writes a statement, its lines under a heading per day.
pub(crate) fn written(format: Format, statement: Statement, lines: &[StatementLine]) -> (Vec<u8>, Written) {
    let mut out = std::io::Cursor::new(Vec::new());
    let mut writer = StatementWriter::begin(format, statement, &mut out).expect("a statement");
    let mut day = None;
    for line in lines {
        if day.replace(line.day) != Some(line.day) {
            writer.section(Section::Day(line.day));
        }
        writer.line(line).expect("a line");
    }
    let written = writer.finish().expect("a statement that adds up");
    (out.into_inner(), written)
}

pub(crate) fn account(holder: &str, number: &str) -> BankAccount {
    BankAccount {
        holder: holder.to_owned(),
        number: number.to_owned(),
        bank_name: Some("中国工商银行上海市浦东支行".to_owned()),
        bic: Some("ICBKCNBJSHI".to_owned()),
        cnaps: Some("102290000013".to_owned()),
    }
}

pub(crate) fn payouts(amounts: &[i64]) -> PayoutFile {
    let payment = |(index, amount): (usize, &i64)| PayeePayment {
        end_to_end_id: format!("pay_0H5V{:09}", index + 1),
        amount: Amount::new(*amount).expect("an amount"),
        payee: account(&format!("示例商户{}有限公司 <A&B>", index + 1), &format!("62220212345678{index:05}")),
        remittance: format!("结算款 stm_{}", index + 1),
    };
    PayoutFile {
        message_id: "pf_0H5V8K2M3N4P5".to_owned(),
        created: date(2026, 10, 8).at(6, 5, 4, 0).in_tz("Asia/Shanghai").expect("a time zone"),
        execution: date(2026, 10, 8),
        currency: Currency::CNY,
        payer: account("上海示例预付卡服务有限公司", "1001234509000012345"),
        payments: amounts.iter().enumerate().map(payment).collect(),
    }
}
