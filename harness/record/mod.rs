//! Histories as files: JSON lines that can be judged again, at another place and time, and by hand.
//!
//! The first line is a head. Each history begins with a line that says what it is of and which rotations
//! came before it; then one line follows for each thing that happened:
//!
//! ```json
//! {"rotaprobe":"0.1.0","vendor":"alibaba"}
//! {"begins":{"of":"ROT-IDEMP-1"}}
//! {"call":{"operation":"RotateSecret","params":[…],"when":{…},"result":{"response":{…}}}}
//! {"advanced":86400}
//! ```
//!
//! [`Recorder`] writes such files and [`Reader`] reads them. No secret value, key or signature stands in what is
//! written: values have pseudonyms ([`Key`]) that are equal where the values were, so that judges come to
//! the same verdicts. `docs/histories.md` tells how to write one by hand.

mod line;
mod names;
mod needles;
mod pseudonym;
mod read;
mod restore;
mod tokens;
mod veil;
mod write;

pub use line::{
    Adopted, Answer, Begins, CallLine, Came, Cut, Head, Header, HowLine, Line, ParamLine, Period, PlaceName,
    Sent, Version,
};
pub use pseudonym::Key;
pub use read::{Reader, RecordError, Told};
pub use write::Recorder;

/// The JSON Schema of a line: a head or another.
pub fn schema() -> serde_json::Value {
    let mut generator = schemars::SchemaGenerator::default();
    let (head, line) = (generator.subschema_for::<Head>(), generator.subschema_for::<Line>());
    let definitions = generator.take_definitions(true);
    serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "rotaprobe history",
        "description": "One line of a recorded history: the first line of a file is a head, each other one is a line.",
        "anyOf": [head, line],
        "$defs": definitions,
    })
}
