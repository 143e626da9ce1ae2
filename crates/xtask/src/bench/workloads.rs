//! What is measured. Sizes are chosen for a tenth to a third of a second native, so that the slowest interpreter
//! takes seconds.

use clap::ValueEnum;

/// A family of workloads with one geometric mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Group {
    /// Short processes, most of whose code runs once
    Start,
    /// Hot loops
    Compute,
    /// Second stage, update and install of a root
    Apt,
    /// Several threads
    Threads,
    /// The rate of the interpreter and the time of a start, in absolute figures
    Interpreter,
}

impl Group {
    /// The name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Compute => "compute",
            Self::Apt => "apt",
            Self::Threads => "threads",
            Self::Interpreter => "interpreter",
        }
    }
}

/// One program to measure.
pub struct Workload {
    /// Its row.
    pub name: &'static str,
    /// Its table.
    pub group: Group,
    command: Command,
    /// Whether the output must be the native one's too, or only agree between interpreters.
    pub same_as_native: bool,
}

enum Command {
    /// Words of a program.
    Exec(&'static [&'static str]),
    /// A script for `sh -c`.
    Shell(&'static str),
}

impl Workload {
    /// The program and its arguments.
    pub fn words(&self) -> Vec<String> {
        match self.command {
            Command::Exec(words) => words.iter().map(|w| (*w).to_owned()).collect(),
            Command::Shell(script) => vec!["/bin/sh".into(), "-c".into(), script.into()],
        }
    }

    /// Runs in a row for one measurement: many of what takes milliseconds.
    pub fn repeat(&self) -> u32 {
        if self.group == Group::Start { 10 } else { 1 }
    }
}

const fn start(name: &'static str, words: &'static [&'static str], same_as_native: bool) -> Workload {
    Workload { name, group: Group::Start, command: Command::Exec(words), same_as_native }
}

const fn shell(group: Group, name: &'static str, script: &'static str) -> Workload {
    Workload { name, group, command: Command::Shell(script), same_as_native: true }
}

/// All but the group `apt`, whose steps are those of [`crate::debian::Store::install`].
pub const WORKLOADS: &[Workload] = &[
    start("true", &["/bin/true"], true),
    start("sh -c :", &["/bin/sh", "-c", ":"], true),
    start("perl -e 1", &["/usr/bin/perl", "-e", "1"], true),
    start("python3 -c 1", &["/usr/bin/python3", "-c", "1"], true),
    start("dpkg-query -W", &["/usr/bin/dpkg-query", "-W"], false),
    start("apt-cache policy", &["/usr/bin/apt-cache", "policy", "bash"], false),
    shell(Group::Compute, "sha256sum", "sha256sum random random random random"),
    shell(Group::Compute, "gzip", "gzip -c text | sha1sum"),
    shell(Group::Compute, "xz", "head -c 700000 text | xz -c | wc -c"),
    shell(Group::Compute, "zstd", "zstd -q -9 -c text | wc -c"),
    shell(Group::Compute, "bzip2", "head -c 1500000 text | bzip2 -c | sha1sum"),
    shell(
        Group::Compute,
        "openssl",
        "openssl enc -aes-256-cbc -K 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff \
         -iv 000102030405060708090a0b0c0d0e0f -in random | openssl dgst -sha512",
    ),
    shell(
        Group::Compute,
        "python loop",
        "python3 -c '
d, s = {}, 0
for i in range(300000):
    s = (s * 31 + i) % 1000003
    d[s & 1023] = d.get(s & 1023, 0) + 1
print(s, len(d), sum(sorted(d.values())[:100]))'",
    ),
    shell(
        Group::Compute,
        "perl",
        "perl -e 'my (%h, $s); for my $i (1 .. 200000) { $s = ($s * 31 + $i) % 1000003; $h{$s % 997} .= chr(97 + $i % 26) }
$_ = join \"\", map { $h{$_} // \"\" } 0 .. 996; my $n = () = /[aeiou]+[^aeiou]/g; print \"$s $n \", length, \"\\n\"'",
    ),
    shell(
        Group::Compute,
        "dash loop",
        "i=0 s=0; while [ $i -lt 150000 ]; do i=$((i + 1)); s=$(((s * 31 + i) % 1000003)); done; echo $s",
    ),
    shell(
        Group::Compute,
        "awk floats",
        "gawk 'BEGIN { for (i = 1; i < 500000; i++) { s += sqrt(i) / (i % 7 + 1); a[i % 100] = s } printf \"%.6f %d\\n\", s, length(a) }'",
    ),
    shell(
        Group::Compute,
        "sqlite",
        "sqlite3 :memory: 'create table t (id integer primary key, n real, s text);
with recursive c(x) as (select 1 union all select x + 1 from c where x < 60000) insert into t select x, x / 7.0, x * 7919 % 60000 from c;
create index i on t (s); select count(*), sum(n), min(s) from t; select count(*) from t a join t b on a.s = b.id where a.n > b.n;'",
    ),
    shell(Group::Compute, "gcc -O2", "gcc -O2 -c -o /dev/null source.c && echo compiled"),
    shell(Group::Compute, "sort", "LC_ALL=C sort --parallel=1 text | sha1sum"),
    shell(Group::Compute, "grep", "LC_ALL=C.UTF-8 grep -ciE '(th|wh)[a-z]*e( |$).*[0-9]{2}' text"),
    shell(Group::Compute, "C++ objects", "./objects 150"),
    shell(Group::Compute, "integer kernel", "./integer 3000"),
    shell(Group::Compute, "floating kernel", "./floating 2000"),
    shell(Group::Threads, "thread pool", "./pool 40000"),
    shell(Group::Threads, "atomics", "./atomics 1000000"),
];

/// The packages of both roots.
pub const PACKAGES: &[&str] = &[
    "perl",
    "python3",
    "gcc",
    "g++",
    "libc6-dev",
    "xz-utils",
    "zstd",
    "bzip2",
    "openssl",
    "sqlite3",
    "gawk",
];
