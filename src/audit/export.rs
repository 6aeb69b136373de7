//! The audit as a file.

use super::{
    model::{Filter, Line},
    read::{found, lines, refusal_of},
};
use crate::desk::{Act, AuditId, Caller, Refusal};

/// Most lines of one file: what D1 gives and an isolate holds without effort.
const MOST: i64 = 5000;

/// A part of the audit.
pub struct Export {
    /// JSON lines, the newest first.
    pub lines: String,
    /// Where older lines begin, if there are any.
    pub older: Option<AuditId>,
}

/// The lines before `before` as JSON lines, at most 5,000. That it was exported is a line of its own, in the same batch.
///
/// # Errors
/// `role_not_allowed` to all but owners and admins, or when the gate is closed.
pub async fn export(
    caller: &Caller<'_>,
    filter: &Filter,
    before: Option<&AuditId>,
) -> Result<Export, Refusal> {
    let act = || Act { name: "export_audit", subjects: &[] };
    if let Some(refusal) = refusal_of(&caller.facts().await?) {
        caller.note_refusal(act(), &refusal).await;
        return Err(refusal);
    }
    let mut answer = caller.write(act(), lines(caller, filter, before, MOST)).await?;
    // A demotion in between has let the export be written down, and lets nothing out.
    if let Some(refusal) = refusal_of(&answer.facts) {
        return Err(refusal);
    }
    let (entries, older) = found(&mut answer, MOST)?;
    let mut text = String::new();
    for entry in &entries {
        text.push_str(&serde_json::json!(Line::from(entry)).to_string());
        text.push('\n');
    }
    Ok(Export { lines: text, older })
}
