//! One request and one reply, exactly as their bytes travel.
//!
//! Header names keep the case they came with and compare without it; header values are bytes,
//! because a hostile peer sends what it likes.

/// Header lines in the order they travel. Names compare without case; a name may occur twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, Vec<u8>)>);

impl Headers {
    /// No header at all.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a line at the end, whatever is there already.
    pub fn add(&mut self, name: impl Into<String>, value: impl Into<Vec<u8>>) {
        self.0.push((name.into(), value.into()));
    }

    /// Replaces every line of that name by one at the place of the first, or adds it at the end.
    pub fn set(&mut self, name: &str, value: impl Into<Vec<u8>>) {
        match self.0.iter().position(|(n, _)| n.eq_ignore_ascii_case(name)) {
            Some(at) => {
                self.0[at].1 = value.into();
                let mut seen = 0;
                self.0.retain(|(n, _)| {
                    seen += usize::from(n.eq_ignore_ascii_case(name));
                    !n.eq_ignore_ascii_case(name) || seen == 1
                });
            }
            None => self.add(name, value),
        }
    }

    /// Drops every line of that name.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }

    /// The first value of that name, as bytes.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_slice())
    }

    /// The first value of that name, where it is UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Every value of that name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().filter(move |(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_slice())
    }

    /// Every line, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }
}

/// A request as it travels: method, raw target (path and query, never decoded), headers, body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`, or whatever a hostile client sends.
    pub method: String,
    /// Path and query as on the request line, for example `/?SecretName=a%2Fb`.
    pub target: String,
    /// Header lines; `host` is among them.
    pub headers: Headers,
    /// The body after transfer decoding.
    pub body: Vec<u8>,
}

impl Request {
    /// The path part of the target, still percent-encoded.
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path)
    }

    /// The query part of the target, still percent-encoded; empty if there is none.
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }
}

/// A reply as it travels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// HTTP status, 100 to 999.
    pub status: u16,
    /// Header lines.
    pub headers: Headers,
    /// The body after transfer decoding, never content-decoded.
    pub body: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setting_a_header_leaves_one_line_in_the_first_place() {
        let mut headers = Headers::new();
        headers.add("A", "1");
        headers.add("B", "2");
        headers.add("a", "3");
        headers.set("a", "4");
        let lines: Vec<_> = headers.iter().collect();
        assert_eq!(lines, [("A", b"4".as_slice()), ("B", b"2".as_slice())]);
    }

    #[test]
    fn a_target_splits_at_the_first_question_mark() {
        let request = Request { target: "/a?b=c?d".into(), ..Request::default() };
        assert_eq!((request.path(), request.query()), ("/a", "b=c?d"));
    }
}
