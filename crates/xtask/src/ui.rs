//! Progress on a terminal (a bar) or elsewhere (plain lines), always on standard error.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// Progress of one piece of work.
pub struct Progress {
    /// Absent where standard error is no terminal: plain lines are printed instead.
    bar: Option<ProgressBar>,
    title: String,
}

impl Progress {
    /// Work of `total` steps.
    pub fn steps(title: &str, total: usize) -> Self {
        Self::new(title, Some(total), "{prefix:>10} [{bar:24}] {pos}/{len} {elapsed} {wide_msg}")
    }

    /// Work whose size is not known.
    pub fn spinner(title: &str) -> Self {
        Self::new(title, None, "{prefix:>10} {spinner} {elapsed} {wide_msg}")
    }

    fn new(title: &str, total: Option<usize>, template: &str) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = total.map_or_else(ProgressBar::new_spinner, |n| ProgressBar::new(n as u64));
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.set_prefix(title.to_owned());
            bar.enable_steady_tick(Duration::from_millis(150));
            bar
        });
        if bar.is_none() {
            eprintln!("{title:>10} starts");
        }
        Self { bar, title: title.to_owned() }
    }

    /// Shows what is being done; a terminal only, as it changes often.
    pub fn message(&self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(text.to_owned());
        }
    }

    /// One step is done.
    pub fn advance(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// A line that stays.
    pub fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(format!("{:>10} {text}", self.title)),
            None => eprintln!("{:>10} {text}", self.title),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// A duration for a table: `0.8 ms`, `13.6 s`.
pub fn seconds(duration: Duration) -> String {
    let s = duration.as_secs_f64();
    if s < 1.0 { format!("{:.1} ms", s * 1e3) } else { format!("{s:.1} s") }
}
