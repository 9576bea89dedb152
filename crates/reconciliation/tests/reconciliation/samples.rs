//! Files as the outside world writes them, made here.

use std::io::{Cursor, Write};

use domain::Currency;
use jiff::tz::TimeZone;
use reconciliation::{FileError, Format, Limits, Mapping, Settings, Statement, read};
use zip::{ZipWriter, write::SimpleFileOptions};

pub(crate) const WECHAT_HEADER: &str = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注";
pub(crate) const WECHAT_SUMMARY: &str =
    "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";
pub(crate) const ALIPAY_HEADER: &str = "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注";

pub(crate) fn settings(mapping: Option<Mapping>) -> Settings {
    let zone = TimeZone::get("Asia/Shanghai").expect("bundled");
    Settings { currency: Currency::CNY, zone, mapping, limits: Limits::default() }
}

pub(crate) fn mapping(json: &str) -> Mapping {
    serde_json::from_str(json).expect("a mapping")
}

pub(crate) fn read_bytes(format: Format, bytes: &[u8], settings: &Settings) -> Result<Statement, FileError> {
    read(format, Cursor::new(bytes), settings)
}

pub(crate) fn wechat_sale(order: &str, yuan: &str, fee: &str) -> String {
    format!(
        "`2026-09-30 10:00:00,`wx2421b1c4370ec43b,`10000100,`0,`1000,`1001690740201411100005734289,`{order},\
         `085e9858e3ba5186aafcbaed1,`MICROPAY,`SUCCESS,`CFT,`CNY,`{yuan},`0.00,`0,`0,`0.00,`0.00,`,`,\
         `礼品卡,面值100,`,`{fee},`0.60%,`{yuan},`0.00,`"
    )
}

pub(crate) fn wechat_refund(order: &str, refund: &str, yuan: &str, state: &str) -> String {
    format!(
        "`2026-09-30 12:30:00,`wx2421b1c4370ec43b,`10000100,`0,`1000,`1001690740201411100005734289,`{order},\
         `085e9858e3ba5186aafcbaed1,`MICROPAY,`REFUND,`CFT,`CNY,`0.00,`0.00,`2002690740201411100005734289,\
         `{refund},`{yuan},`0.00,`ORIGINAL,`{state},`礼品卡,`,`-0.02000,`0.60%,`0.00,`{yuan},`"
    )
}

fn ended(lines: &[String]) -> String {
    lines.iter().fold(String::new(), |text, line| text + line + "\r\n")
}

pub(crate) fn wechat(lines: &[String], summary: &str) -> String {
    let lines = ended(lines);
    format!("\u{feff}{WECHAT_HEADER}\r\n{lines}{WECHAT_SUMMARY}\r\n{summary}\r\n")
}

pub(crate) fn alipay_line(order: &str, kind: &str, yuan: &str, refund: &str) -> String {
    format!(
        "2026093022001\t,{order}\t,{kind},礼品卡,2026-09-30 09:59:58,2026-09-30 10:00:00,,,,,***(138****0000),\
         {yuan},{yuan},0.00,0.00,0.00,0.00,0.00,,0.00,0.00,{refund},-0.01,0.00,"
    )
}

pub(crate) fn alipay(lines: &[String], sales: &str, refunds: &str) -> Vec<u8> {
    let lines = ended(lines);
    let text = format!(
        "#支付宝业务明细查询\r\n#账号：[20881021000000000156]\r\n#起始日期：[2026年09月30日 00:00:00]   终止日期：[2026年10月01日 00:00:00]\r\n\
         #-----------------------------------------业务明细列表----------------------------------------\r\n\
         {ALIPAY_HEADER}\r\n{lines}\
         #-----------------------------------------业务明细列表结束------------------------------------\r\n\
         #交易合计：{sales}，商家优惠共0.00元\r\n#退款合计：{refunds}，商家优惠退款共0.00元\r\n#导出时间：[2026年10月01日 08:00:00]\r\n"
    );
    gbk(&text)
}

pub(crate) fn gbk(text: &str) -> Vec<u8> {
    let (bytes, _, lossy) = encoding_rs::GBK.encode(text);
    assert!(!lossy);
    bytes.into_owned()
}

pub(crate) fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).expect("an entry");
        zip.write_all(bytes).expect("written");
    }
    zip.finish().expect("an archive").into_inner()
}

/// The smallest workbook: one sheet whose rows are given as XML cells.
pub(crate) fn workbook(rows: &[&str]) -> Vec<u8> {
    let rows = rows
        .iter()
        .enumerate()
        .fold(String::new(), |text, (n, cells)| text + &format!("<row r=\"{}\">{cells}</row>", n + 1));
    let sheet = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>{rows}</sheetData></worksheet>"
    );
    zipped(&[
        ("[Content_Types].xml", br#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>"#),
        ("_rels/.rels", br#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#),
        ("xl/workbook.xml", br#"<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>"#),
        ("xl/_rels/workbook.xml.rels", br#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#),
        ("xl/styles.xml", br#"<?xml version="1.0"?><styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="22" applyNumberFormat="1"/></cellXfs></styleSheet>"#),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ])
}

pub(crate) fn entry(end_to_end: &str, amount: &str, direction: &str, status: &str) -> String {
    format!(
        "<Ntry><Amt Ccy=\"CNY\">{amount}</Amt><CdtDbtInd>{direction}</CdtDbtInd><Sts><Cd>{status}</Cd></Sts>\
         <BookgDt><Dt>2026-10-08</Dt></BookgDt><AcctSvcrRef>B-1</AcctSvcrRef><NtryDtls><TxDtls><Refs>\
         <EndToEndId>{end_to_end}</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>\n"
    )
}

pub(crate) fn camt(opening: &str, closing: &str, entries: &str) -> String {
    let balance = |code: &str, amount: &str| {
        let (sign, digits) = amount.strip_prefix('-').map_or(("CRDT", amount), |rest| ("DBIT", rest));
        format!(
            "<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy=\"CNY\">{digits}</Amt><CdtDbtInd>{sign}</CdtDbtInd><Dt><Dt>2026-10-08</Dt></Dt></Bal>\n"
        )
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\">\n<BkToCstmrStmt>\n<GrpHdr><MsgId>M-1</MsgId></GrpHdr>\n<Stmt><Id>S-1</Id><Acct><Id><Othr><Id>6222</Id></Othr></Id><Ccy>CNY</Ccy></Acct>\n{}{}{entries}</Stmt></BkToCstmrStmt></Document>\n",
        balance("OPBD", opening),
        balance("CLBD", closing)
    )
}
