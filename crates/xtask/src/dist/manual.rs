//! forearm(1).

use std::fmt::Write as _;

use super::table::Table;

/// The man page.
pub fn page(table: &Table) -> String {
    let mut page = String::new();
    let put = |page: &mut String, text: &str| {
        page.push_str(text);
        page.push('\n');
    };
    put(&mut page, &format!(".TH FOREARM 1 \"\" \"forearm {}\" \"User Commands\"", escape(&table.version)));
    put(&mut page, ".SH NAME\nforearm \\- run 32\\-bit ARM Linux programs on x86\\-64 Linux");
    put(&mut page, ".SH SYNOPSIS\n.B forearm\n.RI [ OPTIONS ]\n.I PROGRAM\n.RI [ ARGUMENTS ]");
    for command in &table.commands {
        put(&mut page, &format!(".br\n.B forearm {}\n{}", escape(&command.name), escape(&command.arguments)));
    }
    put(&mut page, ".SH DESCRIPTION");
    put(
        &mut page,
        "forearm runs a 32\\-bit little\\-endian ARM program. Its system calls become the host's; programs that it starts run",
    );
    put(
        &mut page,
        "under forearm too, also in a chroot and without binfmt_misc. The options have the words and meanings of",
    );
    put(&mut page, ".BR qemu\\-arm (1).");
    put(
        &mut page,
        "Called qemu\\-arm\\-static, qemu\\-arm, qemu\\-armhf or arm\\-binfmt\\-P forearm behaves as that program.",
    );
    put(&mut page, ".SH OPTIONS");
    for option in &table.options {
        put(&mut page, &format!(".TP\n.B \\-{}", escape(&option.word)));
        if !option.argument.is_empty() {
            // On the tag's line.
            page_argument(&mut page, &option.argument);
        }
        sentence(&mut page, &option.about);
        if !option.variable.is_empty() {
            let _ =
                writeln!(page, "The environment variable\n.B {}\nmeans the same.", escape(&option.variable));
        }
    }
    page.push_str(".SH COMMANDS\n");
    sentence(&mut page, &table.note);
    for command in &table.commands {
        let _ = writeln!(page, ".SS {} {}", escape(&command.name), escape(&command.arguments));
        sentence(&mut page, &command.about);
        for [name, value, about] in &command.flags {
            let _ = writeln!(page, ".TP\n.B {}", escape(name));
            if !value.is_empty() {
                page_argument(&mut page, value);
            }
            sentence(&mut page, about);
        }
    }
    page.push_str(REST_BEFORE_VARIABLES);
    for [name, values, about] in &table.variables {
        let _ = writeln!(page, ".TP\n.B {}", escape(name));
        sentence(&mut page, &format!("{values}: {about}"));
    }
    page.push_str(REST);
    page
}

/// An option's argument, in italics behind its name: the last line becomes `.BI NAME " ARGUMENT"`.
fn page_argument(page: &mut String, argument: &str) {
    let at = page.trim_end().rfind(".B ").unwrap_or(page.len());
    let name = page[at + 3..].trim_end().to_owned();
    page.truncate(at);
    let _ = writeln!(page, ".BI {name} \" {}\"", escape(argument));
}

fn sentence(page: &mut String, text: &str) {
    let mut chars = text.chars();
    let first: String = chars.next().into_iter().flat_map(char::to_uppercase).collect();
    let text = escape(&format!("{first}{}", chars.as_str()));
    let end = if text.ends_with(['.', ':']) { "" } else { "." };
    // A line that began with a period or an apostrophe would be a request.
    let _ = writeln!(page, "{}{text}{end}", if text.starts_with(['.', '\'']) { "\\&" } else { "" });
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq").replace('"', "\\(dq")
}

const REST_BEFORE_VARIABLES: &str = r".SS \-\-install arm, \-\-uninstall arm
What
.B register \-\-persistent
is for a machine, these are for a container image: they take the words of the image tonistiigi/binfmt, and end with a
report in JSON.
.SH ENVIRONMENT
Beside the variables named above:
";

const REST: &str = r".SH EXIT STATUS
That of the program; 128 and the number of the signal from
.B forearm shell
when the command died of one. 1: the command line is wrong, or a command cannot do its work. 126: PROGRAM cannot be run. 127:
there is no such PROGRAM.
.SH FILES
.TP
.I /proc/sys/fs/binfmt_misc/qemu\-arm
The entry that
.B forearm register
makes.
.TP
.I /etc/binfmt.d/qemu\-arm.conf
What
.B register \-\-persistent
writes; it takes the place of the file of that name in /usr/lib/binfmt.d.
.TP
.IR /etc/subuid , \ /etc/subgid
The users and groups that
.B forearm shell
has without root. Without an entry there, root is the only user inside, and packages with files of other users cannot be
installed.
.SH EXAMPLES
.TP
.B forearm ./hello
Run an ARM program.
.TP
.B sudo forearm register \-\-persistent
From now on ARM programs, chroots and containers run under forearm.
.TP
.B forearm shell /srv/armhf apt\-get update
One command in an ARM system.
.SH SEE ALSO
.BR qemu\-user\-static (1),
.BR binfmt.d (5),
.BR systemd\-binfmt (8),
.BR update\-binfmts (8),
.BR newuidmap (1)
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        let page = page(&super::super::table::tests::table());
        assert!(page.contains(".TP\n.BI \\-L \" PATH\"\nBelow PATH.\n"), "{page}");
        assert!(page.contains("\nLog: \\(aqcalls\\(aq \\e [all].\n"), "{page}");
        assert!(page.contains("\n\\&.first word.\n"), "{page}");
        assert!(
            page.contains(".SS shell [OPTIONS] ROOT\n") && page.contains(".TP\n.B \\-\\-ephemeral\n"),
            "{page}"
        );
    }
}
