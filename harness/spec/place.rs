//! Where something stands in a YAML text: the line of a path such as `operations.RotateSecret.errors`.

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use serde_saphyr::Spanned;
use std::cell::Cell;
use std::fmt;

/// Line, from 1, of the last name of a path that is there.
pub(super) fn line(text: &str, path: &str) -> Option<u64> {
    let found = Cell::new(None);
    // It ends with an error on purpose where the whole path was found.
    let _ =
        serde_saphyr::with_deserializer_from_str(text, |de| Descent { path, found: &found }.deserialize(de));
    found.get()
}

/// Follows a path down through maps.
#[derive(Clone, Copy)]
struct Descent<'a> {
    /// What is left of it. Names may have dots in them.
    path: &'a str,
    /// Line of the last name that was there.
    found: &'a Cell<Option<u64>>,
}

impl<'de> DeserializeSeed<'de> for Descent<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, de: D) -> Result<(), D::Error> {
        de.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Descent<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<Spanned<String>>()? {
            let rest = self.path.strip_prefix(key.value.as_str());
            let below = rest.and_then(|rest| rest.strip_prefix('.'));
            if rest == Some("") || below.is_some() {
                self.found.set(Some(key.referenced.line()));
            }
            match below {
                Some(path) => map.next_value_seed(Descent { path, ..self })?,
                None if rest == Some("") => return Err(A::Error::custom("found")),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::line;

    const TEXT: &str =
        "# head\na: 1\nb:\n  c.d: { e: [1, 2], f: x }\n  c:\n    d: 2\n    \"q r\": 3\nlist: [1]\n";

    #[test]
    fn a_path_has_the_line_of_its_last_name() {
        for (path, at) in
            [("a", 2), ("b", 3), ("b.c.d", 4), ("b.c.d.f", 4), ("b.c", 5), ("b.c.q r", 7), ("list", 8)]
        {
            assert_eq!(line(TEXT, path), Some(at), "{path}");
        }
    }

    #[test]
    fn a_path_that_ends_early_has_the_line_of_what_is_there() {
        assert_eq!(line(TEXT, "b.x"), Some(3));
        assert_eq!(line(TEXT, "list.x"), Some(8));
        assert_eq!(line(TEXT, "x"), None);
        assert_eq!(line("[", "x"), None);
    }
}
