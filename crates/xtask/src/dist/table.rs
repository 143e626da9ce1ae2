//! What forearm says about its own command line, for the man page and the completions.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail, ensure};

use crate::process;

/// An option of `forearm OPTIONS PROGRAM`.
pub struct Opt {
    /// The word behind the dash.
    pub word: String,
    /// What its argument is called; empty: it has none.
    pub argument: String,
    /// The environment variable with the same meaning; empty: none.
    pub variable: String,
    /// What it does.
    pub about: String,
}

/// A command such as `forearm shell`.
pub struct Verb {
    /// The word.
    pub name: String,
    /// What follows it.
    pub arguments: String,
    /// What it does.
    pub about: String,
    /// Its options: name, value, what it does.
    pub flags: Vec<[String; 3]>,
}

/// The command line.
#[derive(Default)]
pub struct Table {
    /// forearm's version.
    pub version: String,
    /// How commands are told from programs.
    pub note: String,
    /// The options.
    pub options: Vec<Opt>,
    /// The commands.
    pub commands: Vec<Verb>,
    /// Variables of forearm's own: name, values, what it does.
    pub variables: Vec<[String; 3]>,
}

impl Table {
    /// Asks the program.
    pub fn of(forearm: &Path) -> Result<Self> {
        let mut command = Command::new(forearm);
        // Under its own name, whatever the file is called.
        std::os::unix::process::CommandExt::arg0(&mut command, "forearm");
        let output = process::run(command.arg("-option-table"), Duration::from_secs(10))?;
        ensure!(output.success(), "{} -option-table ended with {}", forearm.display(), output.end());
        Self::parse(&String::from_utf8_lossy(&output.stdout))
    }

    fn parse(text: &str) -> Result<Self> {
        let mut table = Self::default();
        for line in text.lines() {
            let fields: Vec<String> = line.split('\t').map(str::to_owned).collect();
            match <[String; 5]>::try_from(fields) {
                Ok([kind, word, argument, variable, about]) if kind == "option" => {
                    table.options.push(Opt { word, argument, variable, about });
                }
                Ok([kind, command, name, value, about]) if kind == "flag" => {
                    match table.commands.last_mut() {
                        Some(last) if last.name == command => last.flags.push([name, value, about]),
                        _ => bail!("a flag of another command: {line}"),
                    }
                }
                Err(fields) => match &fields[..] {
                    [kind, version] if kind == "version" => table.version = version.clone(),
                    [kind, note] if kind == "note" => table.note = note.clone(),
                    [kind, name, arguments, about] if kind == "command" => {
                        let (name, arguments, about) = (name.clone(), arguments.clone(), about.clone());
                        table.commands.push(Verb { name, arguments, about, flags: Vec::new() });
                    }
                    [kind, name, values, about] if kind == "variable" => {
                        table.variables.push([name.clone(), values.clone(), about.clone()]);
                    }
                    _ => bail!("not a line of the table: {line}"),
                },
                Ok(_) => bail!("not a line of the table: {line}"),
            }
        }
        ensure!(!table.options.is_empty() && !table.commands.is_empty(), "an empty table");
        Ok(table)
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A table with one of each.
    pub fn table() -> Table {
        Table::parse(
            "version\t1.2\ncommand\tshell\t[OPTIONS] ROOT\tenter it\nflag\tshell\t--bind\tPATH[:INSIDE]\tshow it\n\
             flag\tshell\t--ephemeral\t\tdon't keep it\nnote\t.first word\noption\tL\tPATH\tQEMU_LD_PREFIX\tbelow PATH\n\
             option\tstrace\t\t\tlog: 'calls' \\ [all]\nvariable\tFOREARM_TIER\tinterp\twhen\n",
        )
        .unwrap()
    }

    #[test]
    fn lines_are_read_and_others_refused() {
        let table = table();
        assert_eq!((table.options.len(), table.commands[0].flags.len()), (2, 2));
        assert!(Table::parse("nonsense\n").is_err() && Table::parse("").is_err());
        assert!(Table::parse("flag\tx\t--a\t\tb\n").is_err());
    }
}
