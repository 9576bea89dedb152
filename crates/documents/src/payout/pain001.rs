//! Payouts as ISO 20022 customer credit transfer initiation, pain.001.001.09: one payment information block, one
//! transaction per payment, totals and count in both headers. Written by hand in the schema's order, because of
//! its hundreds of types we need thirty elements; the tests hold it against the schema itself.

use std::io::{BufWriter, Write};

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event},
};

use super::{BankAccount, PayeePayment, PayoutFile};
use crate::{error::DocumentError, money};

const NAMESPACE: &str = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09";
/// The code of China's national payment system among ISO's external clearing systems.
const CNAPS: &str = "CNAPS";

/// Writes the file as pain.001.001.09. Nothing is written if a rule of the format is broken.
pub fn write_pain001(file: &PayoutFile, out: impl Write) -> Result<(), DocumentError> {
    let total = money::plain(file.check()?.get(), file.currency.exponent());
    let mut xml = Xml { writer: Writer::new_with_indent(BufWriter::new(out), b' ', 1) };
    xml.writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let document = BytesStart::new("Document").with_attributes([("xmlns", NAMESPACE)]);
    xml.writer.write_event(Event::Start(document))?;
    xml.inside("CstmrCdtTrfInitn", |xml| {
        xml.group_header(file, &total)?;
        xml.payment_information(file, &total)
    })?;
    xml.end("Document")?;
    let mut out = xml.writer.into_inner();
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

struct Xml<W: Write> {
    writer: Writer<W>,
}

impl<W: Write> Xml<W> {
    fn group_header(&mut self, file: &PayoutFile, total: &str) -> Result<(), DocumentError> {
        self.inside("GrpHdr", |xml| {
            xml.text("MsgId", &file.message_id)?;
            xml.text("CreDtTm", &file.created.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())?;
            xml.text("NbOfTxs", &file.payments.len().to_string())?;
            xml.text("CtrlSum", total)?;
            xml.inside("InitgPty", |xml| xml.text("Nm", &file.payer.holder))
        })
    }

    fn payment_information(&mut self, file: &PayoutFile, total: &str) -> Result<(), DocumentError> {
        self.inside("PmtInf", |xml| {
            xml.text("PmtInfId", &file.message_id)?;
            xml.text("PmtMtd", "TRF")?;
            xml.text("NbOfTxs", &file.payments.len().to_string())?;
            xml.text("CtrlSum", total)?;
            xml.inside("ReqdExctnDt", |xml| xml.text("Dt", &file.execution.to_string()))?;
            xml.inside("Dbtr", |xml| xml.text("Nm", &file.payer.holder))?;
            xml.inside("DbtrAcct", |xml| {
                xml.account_id(&file.payer)?;
                xml.text("Ccy", file.currency.code())
            })?;
            xml.inside("DbtrAgt", |xml| xml.agent(&file.payer))?;
            file.payments.iter().try_for_each(|payment| xml.transaction(file, payment))
        })
    }

    fn transaction(&mut self, file: &PayoutFile, payment: &PayeePayment) -> Result<(), DocumentError> {
        self.inside("CdtTrfTxInf", |xml| {
            xml.inside("PmtId", |xml| xml.text("EndToEndId", &payment.end_to_end_id))?;
            xml.inside("Amt", |xml| {
                let amount = BytesStart::new("InstdAmt").with_attributes([("Ccy", file.currency.code())]);
                xml.writer.write_event(Event::Start(amount))?;
                let text = money::plain(payment.amount.get(), file.currency.exponent());
                xml.writer.write_event(Event::Text(BytesText::new(&text)))?;
                xml.end("InstdAmt")
            })?;
            xml.inside("CdtrAgt", |xml| xml.agent(&payment.payee))?;
            xml.inside("Cdtr", |xml| xml.text("Nm", &payment.payee.holder))?;
            xml.inside("CdtrAcct", |xml| xml.account_id(&payment.payee))?;
            xml.inside("RmtInf", |xml| xml.text("Ustrd", &payment.remittance))
        })
    }

    fn account_id(&mut self, account: &BankAccount) -> Result<(), DocumentError> {
        self.inside("Id", |xml| xml.inside("Othr", |xml| xml.text("Id", &account.number)))
    }

    fn agent(&mut self, account: &BankAccount) -> Result<(), DocumentError> {
        self.inside("FinInstnId", |xml| {
            if let Some(bic) = &account.bic {
                xml.text("BICFI", bic)?;
            }
            if let Some(code) = &account.cnaps {
                xml.inside("ClrSysMmbId", |xml| {
                    xml.inside("ClrSysId", |xml| xml.text("Cd", CNAPS))?;
                    xml.text("MmbId", code)
                })?;
            }
            account.bank_name.as_ref().map_or(Ok(()), |name| xml.text("Nm", name))
        })
    }

    fn inside(
        &mut self,
        name: &str,
        content: impl FnOnce(&mut Self) -> Result<(), DocumentError>,
    ) -> Result<(), DocumentError> {
        self.writer.write_event(Event::Start(BytesStart::new(name)))?;
        content(self)?;
        self.end(name)
    }

    fn text(&mut self, name: &str, text: &str) -> Result<(), DocumentError> {
        self.writer.write_event(Event::Start(BytesStart::new(name)))?;
        self.writer.write_event(Event::Text(BytesText::new(text)))?;
        self.end(name)
    }

    fn end(&mut self, name: &str) -> Result<(), DocumentError> {
        Ok(self.writer.write_event(Event::End(BytesEnd::new(name)))?)
    }
}
