//! The commands `forearm WORD ...`: the table that the dispatch, the help, the man page and the completions are
//! made of.

use crate::command_line::Kernel;
use crate::options::{OPTIONS, State, VARIABLES, Variable};
use crate::{binfmt, shell};
use std::ffi::{CString, OsStr, OsString};
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The exit status, or the one line that says why it cannot be done.
pub type Answer = Result<i32, String>;

/// One command.
pub struct Command {
    /// The word.
    pub name: &'static str,
    /// What follows it, for the usage line.
    pub arguments: &'static str,
    /// What it does.
    pub about: &'static str,
    /// Its options.
    pub flags: &'static [Flag],
    run: fn(&Command, lexopt::Parser) -> Answer,
}

/// An option of a command.
pub struct Flag {
    /// With its dashes.
    pub name: &'static str,
    /// The name of its value, if it takes one.
    pub value: Option<&'static str>,
    /// What it does.
    pub about: &'static str,
}

const fn flag(name: &'static str, value: Option<&'static str>, about: &'static str) -> Flag {
    Flag { name, value, about }
}

const NAME: Flag =
    flag("--name", Some("NAME"), "the entry's name (default: qemu-arm, which other tools look for)");
const ROOT: Flag = flag(
    "--root",
    Some("DIR"),
    "work on the binfmt.d files of the system image in DIR; the kernel is left alone",
);

/// All of them.
pub const COMMANDS: &[Command] = &[
    Command {
        name: "register",
        arguments: "[OPTIONS]",
        about: "run ARM programs under forearm: make its binfmt_misc entry",
        flags: &[
            NAME,
            flag("--flags", Some("FLAGS"), "binfmt_misc flags out of P, O, C and F (default: POCF)"),
            flag("--interpreter", Some("PATH"), "the file to register (default: this program)"),
            flag("--replace", None, "take the place of another program's entry of that name"),
            flag(
                "--persistent",
                None,
                "also write /etc/binfmt.d/NAME.conf, which systemd-binfmt reads at boot",
            ),
            ROOT,
        ],
        run: binfmt::register,
    },
    Command {
        name: "unregister",
        arguments: "[OPTIONS]",
        about: "remove the entry",
        flags: &[NAME, flag("--persistent", None, "also remove /etc/binfmt.d/NAME.conf"), ROOT],
        run: binfmt::unregister,
    },
    Command {
        name: "status",
        arguments: "[OPTIONS]",
        about: "show the entry, and what ARM programs really run under; status 0 if that is forearm",
        flags: &[NAME, ROOT],
        run: binfmt::status,
    },
    Command {
        name: "shell",
        arguments: "[OPTIONS] ROOT [COMMAND [ARGUMENT...]]",
        about: "enter the ARM system in the directory ROOT, or run one command in it; needs neither root nor binfmt_misc",
        flags: &[
            flag("--ephemeral", None, "throw the changes away at the end"),
            flag("--bind", Some("PATH[:INSIDE]"), "show a host file or directory in the root (repeatable)"),
            flag("--env", Some("VAR=VALUE"), "set an environment variable (repeatable)"),
            flag("--user-namespace", None, "run in a user namespace even as root"),
        ],
        run: shell::run,
    },
];

/// What is written in the help below the table.
pub const NOTE: &str =
    "A command is recognised only as the first word, when the program is started under the name forearm.
An ARM program whose file is called so runs by its path: forearm ./register.";

/// Runs the command line if it is a command's. Started by binfmt_misc it never is: then the first word is the path of
/// a program.
pub fn dispatch(args: &[CString], kernel: Kernel) -> Option<i32> {
    if kernel.flags != 0 || kernel.exec_fd.is_some() {
        return None;
    }
    let mut words = args.iter().map(|a| OsStr::from_bytes(a.to_bytes()).to_owned());
    let name = words.next()?;
    let name = Path::new(&name).file_name()?.to_str()?;
    let args: Vec<OsString> = words.collect();
    let first = args.first().and_then(|a| a.to_str());
    let answer = match (name, first) {
        ("binfmt", _) => binfmt::image::run(&args),
        ("forearm", Some("--install" | "-install" | "--uninstall" | "-uninstall")) => {
            binfmt::image::run(&args)
        }
        ("forearm", Some("-option-table")) => {
            print!("{}", table());
            Ok(0)
        }
        ("forearm", Some(word)) => {
            let command = COMMANDS.iter().find(|c| c.name == word)?;
            (command.run)(command, lexopt::Parser::from_args(&args[1..]))
                .map_err(|why| format!("{word}: {why}"))
        }
        _ => return None,
    };
    Some(answer.unwrap_or_else(|why| {
        eprintln!("forearm: {why}");
        1
    }))
}

impl Command {
    /// Its own help.
    pub fn help(&self) -> String {
        let mut text =
            format!("usage: forearm {} {}\n\n{}\n\n", self.name, self.arguments, sentence(self.about));
        for flag in self.flags {
            let left = [flag.name, flag.value.unwrap_or("")].join(" ");
            let _ = writeln!(text, "  {left:<22} {}", flag.about);
        }
        text
    }

    /// What `lexopt` gives for something the command does not know.
    pub fn unexpected(&self, argument: lexopt::Arg<'_>) -> String {
        format!("{} (see forearm {} --help)", argument.unexpected(), self.name)
    }
}

/// The commands, for the general help of `forearm`.
pub fn help() -> String {
    let mut text = String::from("usage: forearm COMMAND ...\n\n");
    for command in COMMANDS {
        let _ = writeln!(text, "  {:<16} {}", command.name, command.about);
    }
    text + NOTE + "\n"
}

fn sentence(about: &str) -> String {
    let mut chars = about.chars();
    let first = chars.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(chars).chain(['.']).collect()
}

/// Commands and options as lines of fields separated by tabs, from which the man page and the completions are made:
/// `command NAME ARGUMENTS ABOUT`, `flag COMMAND NAME VALUE ABOUT`, `note TEXT`, `option WORD ARGUMENT VARIABLE ABOUT`,
/// `variable NAME VALUES ABOUT`, `version NUMBER`.
pub fn table() -> String {
    let mut lines = vec![["version", crate::VERSION].join("\t")];
    for command in COMMANDS {
        lines.push(["command", command.name, command.arguments, command.about].join("\t"));
        for flag in command.flags {
            lines.push(["flag", command.name, flag.name, flag.value.unwrap_or(""), flag.about].join("\t"));
        }
    }
    lines.push(["note", &NOTE.replace('\n', " ")].join("\t"));
    for option in OPTIONS.iter().filter(|o| matches!(o.state, State::Works | State::NoEffect(_))) {
        lines.push(["option", option.word, option.argument, option.env, option.help].join("\t"));
    }
    for Variable { name, values, help, .. } in VARIABLES {
        lines.push(["variable", name, values, help].join("\t"));
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dispatch_words(words: &[&str], kernel: Kernel) -> Option<i32> {
        let args: Vec<CString> = words.iter().map(|w| CString::new(*w).expect("no NUL")).collect();
        dispatch(&args, kernel)
    }

    #[test]
    fn a_command_is_the_first_word_under_the_own_name() {
        assert_eq!(dispatch_words(&["/usr/bin/forearm", "shell", "--help"], Kernel::default()), Some(0));
        assert_eq!(dispatch_words(&["forearm", "register", "--flags", "X"], Kernel::default()), Some(1));
        assert_eq!(dispatch_words(&["forearm", "./register"], Kernel::default()), None);
        assert_eq!(dispatch_words(&["forearm", "-strace", "register"], Kernel::default()), None);
        assert_eq!(dispatch_words(&["qemu-arm-static", "register", "--help"], Kernel::default()), None);
        // A program file of that name, run through binfmt_misc.
        let opened = Kernel { exec_fd: Some(3), ..Kernel::default() };
        assert_eq!(dispatch_words(&["forearm", "status"], opened), None);
        assert_eq!(dispatch_words(&["forearm", "status"], Kernel { flags: 1, ..Kernel::default() }), None);
    }

    #[test]
    fn the_table_has_no_stray_tabs_or_lines() {
        let fields =
            [("version", 2), ("command", 4), ("flag", 5), ("note", 2), ("option", 5), ("variable", 4)];
        for line in table().lines() {
            let kind = line.split('\t').next();
            let expected = fields.iter().find(|(name, _)| Some(*name) == kind).map(|(_, n)| *n);
            assert_eq!(Some(line.split('\t').count()), expected, "{line}");
        }
    }
}
