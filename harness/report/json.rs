//! The JSON report, and its schema.

use crate::campaign::Outcome;

/// The report as JSON, with a line feed at its end.
pub fn report(outcome: &Outcome) -> String {
    let mut text = serde_json::to_string_pretty(outcome).unwrap_or_default();
    text.push('\n');
    text
}

/// The JSON Schema of the report.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Outcome).to_value()
}
