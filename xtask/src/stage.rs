//! The stages of a test run, each with its outcome, and the summary at the end.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// How a stage ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Passed,
    /// With this error.
    Failed(String),
    /// Not run, and nothing is wrong with that: why.
    Skipped(String),
    /// Not run though it should have been: why.
    Blocked(String),
}

/// The stages so far.
#[derive(Default)]
pub(crate) struct Stages {
    ended: Vec<(&'static str, Duration, Outcome)>,
}

impl Stages {
    /// Runs a stage and notes how it ended; an error is printed, and the next stage can go on.
    pub(crate) fn run(&mut self, name: &'static str, work: impl FnOnce() -> Result<()>) -> bool {
        println!("\n### {name}");
        let start = Instant::now();
        let outcome = match work() {
            Ok(()) => Outcome::Passed,
            Err(error) => {
                println!("{name}: {error:#}");
                Outcome::Failed(format!("{error:#}"))
            }
        };
        let passed = outcome == Outcome::Passed;
        self.ended.push((name, start.elapsed(), outcome));
        passed
    }

    /// Notes a stage that does not run.
    pub(crate) fn without(&mut self, name: &'static str, outcome: Outcome) {
        self.ended.push((name, Duration::ZERO, outcome));
    }

    /// Prints how each stage ended, and once more, since that may be far above, what failed.
    ///
    /// # Errors
    /// If one has failed, or did not run though it should have.
    pub(crate) fn finish(self) -> Result<()> {
        for (name, _, outcome) in &self.ended {
            if let Outcome::Failed(error) = outcome {
                println!("\n### {name} failed\n{error}");
            }
        }
        println!("\n{:<12} {:>8}  outcome", "stage", "seconds");
        let mut wrong = Vec::new();
        for (name, took, outcome) in &self.ended {
            let text = match outcome {
                Outcome::Passed => "passed".to_owned(),
                Outcome::Failed(_) => "FAILED".to_owned(),
                Outcome::Skipped(why) => format!("skipped: {why}"),
                Outcome::Blocked(why) => format!("NOT RUN: {why}"),
            };
            println!("{name:<12} {:>8.1}  {text}", took.as_secs_f64());
            if matches!(outcome, Outcome::Failed(_) | Outcome::Blocked(_)) {
                wrong.push(*name);
            }
        }
        let passed = self.ended.iter().filter(|(_, _, end)| *end == Outcome::Passed).count();
        println!("stages: {passed} passed, {} failed\n", wrong.len());
        if !wrong.is_empty() {
            bail!("failed: {}", wrong.join(", "));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_or_blocked_stage_fails_the_run_and_a_skipped_one_does_not() {
        let mut stages = Stages::default();
        assert!(stages.run("good", || Ok(())));
        stages.without("odd", Outcome::Skipped("no such machine".into()));
        stages.finish().unwrap();

        let mut stages = Stages::default();
        assert!(!stages.run("bad", || bail!("broken")));
        assert!(stages.run("good", || Ok(())));
        stages.without("late", Outcome::Blocked("bad failed".into()));
        assert_eq!(stages.finish().unwrap_err().to_string(), "failed: bad, late");
    }
}
