//! `rotaprobe explain RULE`.

use super::{Failure, vendors};
use crate::check::checks;
use crate::emulator::fault;
use crate::model::{RULES, rule};
use anyhow::anyhow;

pub(super) fn run(id: &str, wanted: &vendors::Wanted) -> Result<u8, Failure> {
    let Some(rule) = rule(&id.to_uppercase()) else {
        let nearest =
            RULES.iter().min_by_key(|rule| strsim::damerau_levenshtein(rule.id, &id.to_uppercase()));
        let hint = nearest.map(|rule| format!("; did you mean `{}`?", rule.id)).unwrap_or_default();
        return Err(Failure::usage(anyhow!(
            "there is no rule `{id}`{hint}; `rotaprobe check --list` names all rules"
        )));
    };
    let chosen = vendors::chosen(wanted)?;
    println!("{}  {}\n", rule.id, rule.claim);
    for chosen in &chosen {
        let spec = &chosen.vendor.spec;
        match spec.requirements.get(rule.id) {
            None => println!("  {:<10} does not apply", spec.vendor),
            Some(requirement) => {
                let level = format!("{:?}", requirement.level).to_lowercase();
                println!("  {:<10} {level}: {}", spec.vendor, requirement.why);
                let cited = spec.cite(&requirement.source);
                if !cited.is_empty() {
                    println!("  {:<10} says {cited}", "");
                }
            }
        }
    }
    match checks().iter().find(|check| check.rule == rule.id) {
        Some(check) => println!("\nExercise: {}.", check.how),
        None => {
            println!("\nExercise: none in `check` yet; it needs overlapping calls, tasks or a real target.")
        }
    }
    let faults: Vec<&str> =
        fault::all().filter(|fault| fault.rules.contains(&rule.id)).map(|fault| fault.name).collect();
    if !faults.is_empty() {
        println!("Faults of the reference that it catches: {}.", faults.join(", "));
    }
    Ok(0)
}
