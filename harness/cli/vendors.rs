//! Which vendors a command is about.

use super::Failure;
use crate::spec::{self, Vendor};
use std::sync::Arc;

/// The vendors of these names; every vendor in the binary if there is none.
pub(super) fn named(names: &[String]) -> Result<Vec<Arc<Vendor>>, Failure> {
    let all = spec::embedded_names();
    let wanted = if names.is_empty() { &all } else { names };
    wanted.iter().map(|name| spec::embedded(name).map(Arc::new).map_err(Failure::usage)).collect()
}
