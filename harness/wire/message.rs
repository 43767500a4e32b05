//! One request and one reply, exactly as their bytes travel.
//!
//! Header names keep the case they came with and compare without it; header values are bytes,
//! because a hostile peer sends what it likes.

/// Header lines in the order they travel. Names compare without case; a name may occur twice.
///
/// All names stand in one buffer and all values in another: a copy of many lines is a copy of two texts.
#[derive(Clone, Default)]
pub struct Headers {
    lines: Vec<Line>,
    names: String,
    values: Vec<u8>,
}

/// Where name and value of a line begin and end.
#[derive(Clone, Copy)]
struct Line {
    name: (usize, usize),
    value: (usize, usize),
}

impl PartialEq for Headers {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Headers {}

impl std::fmt::Debug for Headers {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_list().entries(self.iter()).finish()
    }
}

impl Headers {
    /// No header at all.
    pub const fn new() -> Self {
        Self { lines: Vec::new(), names: String::new(), values: Vec::new() }
    }

    /// Adds a line at the end, whatever is there already.
    pub fn add(&mut self, name: impl AsRef<str>, value: impl AsRef<[u8]>) {
        if self.lines.is_empty() {
            // Room for the lines of a usual request, taken once.
            self.lines.reserve(12);
            self.names.reserve(128);
            self.values.reserve(512);
        }
        let begin = self.names.len();
        self.names.push_str(name.as_ref());
        let value = self.keep(value.as_ref());
        self.lines.push(Line { name: (begin, self.names.len()), value });
    }

    /// Replaces every line of that name by one at the place of the first, or adds it at the end.
    pub fn set(&mut self, name: &str, value: impl AsRef<[u8]>) {
        let Some(at) = self.lines.iter().position(|line| self.called(line, name)) else {
            return self.add(name, value);
        };
        self.lines[at].value = self.keep(value.as_ref());
        let first = self.lines[at];
        self.remove(name);
        self.lines.insert(at, first);
    }

    /// Drops every line of that name.
    pub fn remove(&mut self, name: &str) {
        let mut lines = std::mem::take(&mut self.lines);
        lines.retain(|line| !self.called(line, name));
        self.lines = lines;
    }

    /// The first value of that name, as bytes.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.lines.iter().find(|line| self.called(line, name)).map(|line| self.value(line))
    }

    /// The first value of that name, where it is UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// Every value of that name, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.lines.iter().filter(move |line| self.called(line, name)).map(|line| self.value(line))
    }

    /// Every line, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.lines.iter().map(|line| (self.name(line), self.value(line)))
    }

    fn name(&self, line: &Line) -> &str {
        &self.names[line.name.0..line.name.1]
    }

    fn value(&self, line: &Line) -> &[u8] {
        &self.values[line.value.0..line.value.1]
    }

    fn called(&self, line: &Line, name: &str) -> bool {
        // Most lines are told apart by their length alone.
        let (begin, end) = line.name;
        end - begin == name.len() && self.names.as_bytes()[begin..end].eq_ignore_ascii_case(name.as_bytes())
    }

    fn keep(&mut self, value: &[u8]) -> (usize, usize) {
        let begin = self.values.len();
        self.values.extend_from_slice(value);
        (begin, self.values.len())
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
