//! The JUnit report: a test suite for each vendor, a test case for each rule.

use crate::campaign::{Outcome, RuleResult, Verdict};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite, XmlString};

/// The report as JUnit XML.
///
/// # Errors
/// If the XML cannot be written.
pub fn report(outcome: &Outcome) -> Result<String, String> {
    let mut report = Report::new("rotaprobe");
    let mut vendors: Vec<&str> = outcome.results.iter().map(|result| result.vendor.as_str()).collect();
    vendors.dedup();
    for vendor in vendors {
        let mut suite = TestSuite::new(vendor);
        for result in outcome.results.iter().filter(|result| result.vendor == vendor) {
            suite.add_test_case(case(result));
        }
        report.add_test_suite(suite);
    }
    report.to_string().map_err(|error| error.to_string())
}

fn case(result: &RuleResult) -> TestCase {
    let status = match result.verdict {
        Verdict::Holds => TestCaseStatus::success(),
        Verdict::NotExercised => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(result.reason.clone().unwrap_or_default());
            status
        }
        Verdict::Violated => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            if let Some(first) = result.violations.first() {
                status.set_message(format!("expected {}, observed {}", first.expected, first.observed));
            }
            status.set_type(format!("{:?}", result.level).to_lowercase());
            status.set_description(XmlString::new(described(result)));
            status
        }
        Verdict::Unknown | Verdict::Broken => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(result.reason.clone().unwrap_or_default());
            status
        }
    };
    let mut case = TestCase::new(format!("{} {}", result.rule, result.claim), status);
    case.set_classname(format!("rotaprobe.{}", result.vendor));
    case
}

fn described(result: &RuleResult) -> String {
    let each = result.violations.iter().map(|violation| {
        format!(
            "{}\nexpected {}\nobserved {}\nsays {}\n{}",
            violation.calls.join("\n"),
            violation.expected,
            violation.observed,
            violation.source,
            violation.curl.join("\n")
        )
    });
    each.collect::<Vec<_>>().join("\n\n")
}
