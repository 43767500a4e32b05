//! Bytes as choices: one byte for each choice among several, none where there is but one.

use arbitrary::Unstructured;

/// What is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Of {
    /// How many secrets there are.
    Secrets,
    /// A kind of secret, or a sample of it.
    Kind,
    /// Whose secret it is.
    Owner,
    /// Which operations the plan keeps to.
    Focus,
    /// What is done next, or that nothing is.
    Step,
    /// Which steps are done again.
    Again,
    /// How far the clock goes.
    Seconds,
    /// How many calls are made at once.
    Crowd,
    /// Which secret a call is about.
    Secret,
    /// Which operation is called.
    Operation,
    /// In what way a call is out of the ordinary.
    Style,
    /// Whether a parameter is given.
    Presence,
    /// Which parameter is odd, and how.
    Oddity,
    /// Which odd value is given.
    Odd,
    /// How often a call is made.
    Times,
    /// Which idempotency token is given.
    Token,
    /// Which of several values is given.
    Value,
    /// What goes wrong with a signature or a connection, or how a call travels.
    Mishap,
    /// In which scheme a call with a mishap is signed.
    Scheme,
    /// In which scheme any other call is signed.
    Way,
}

/// A choice that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What was chosen.
    pub of: Of,
    /// Among how many.
    pub among: usize,
    /// Which one.
    pub chosen: usize,
    /// How many of them differ: the first ones; the others are there for the odds.
    pub distinct: usize,
}

/// Bytes that are being read as choices. Where they end, the first of everything is chosen.
pub(super) struct Choices<'b> {
    bytes: Unstructured<'b>,
    pub(super) made: Vec<Choice>,
}

impl<'b> Choices<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { bytes: Unstructured::new(bytes), made: Vec::new() }
    }

    /// Chooses one of so many, 256 at most.
    pub(super) fn one(&mut self, of: Of, among: usize) -> usize {
        self.weighted(of, among, among)
    }

    /// As [`Self::one`], where only the first ones differ.
    pub(super) fn weighted(&mut self, of: Of, among: usize, distinct: usize) -> usize {
        if among < 2 {
            return 0;
        }
        let last = u8::try_from(among - 1).unwrap_or(u8::MAX);
        let chosen = usize::from(self.bytes.int_in_range(0..=last).unwrap_or(0));
        self.made.push(Choice { of, among, chosen, distinct });
        chosen
    }

    /// Chooses one of these.
    pub(super) fn pick<'t, T>(&mut self, of: Of, all: &'t [T]) -> Option<&'t T> {
        let chosen = self.one(of, all.len());
        all.get(chosen)
    }

    /// Chooses yes with these odds.
    pub(super) fn odds(&mut self, of: Of, yes: usize, among: usize) -> bool {
        self.one(of, among) >= among - yes
    }
}
