//! Completions for bash, zsh and fish.

use super::table::Table;

/// /usr/share/bash-completion/completions/forearm.
pub fn bash(table: &Table) -> String {
    let words = |words: &mut dyn Iterator<Item = String>| words.collect::<Vec<_>>().join(" ");
    let options = words(&mut table.options.iter().map(|o| format!("-{}", o.word)));
    let with_argument = table
        .options
        .iter()
        .filter(|o| !o.argument.is_empty())
        .map(|o| format!("-{}", o.word))
        .collect::<Vec<_>>();
    let commands = words(&mut table.commands.iter().map(|c| c.name.clone()));
    let cases: String = table
        .commands
        .iter()
        .map(|c| {
            let flags = words(&mut c.flags.iter().map(|[name, ..]| name.clone()).chain(["--help".into()]));
            let values: Vec<&str> = c
                .flags
                .iter()
                .filter(|[_, value, _]| !value.is_empty())
                .map(|[name, ..]| &name[..])
                .collect();
            let values = if values.is_empty() { "--".to_owned() } else { values.join("|") };
            format!("    {}) flags='{flags}' values='@({values})' ;;\n", c.name)
        })
        .collect();
    format!(
        r#"# bash completion for forearm
_forearm() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} flags values i
  COMPREPLY=()
  case ${{COMP_WORDS[1]}} in
{cases}    *)
      flags='{options}' values='@({with_argument})'
      for ((i = 1; i < COMP_CWORD; i++)); do
        case ${{COMP_WORDS[i]}} in
          {case_argument}) ((i++)) ;;
          -*) ;;
          # The program's own arguments.
          *) compopt -o default; return ;;
        esac
      done
      ;;
  esac
  shopt -q extglob || {{ shopt -s extglob; trap 'shopt -u extglob; trap - RETURN' RETURN; }}
  if [[ $prev == $values ]]; then
    compopt -o default
  elif [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$cur"))
  elif ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '{commands}' -- "$cur") $(compgen -f -- "$cur"))
    compopt -o filenames
  else
    compopt -o default
  fi
}}
complete -F _forearm forearm
complete -o default qemu-arm-static
"#,
        with_argument = with_argument.join("|"),
        case_argument = if with_argument.is_empty() { "--".into() } else { with_argument.join("|") },
    )
}

/// /usr/share/zsh/vendor-completions/_forearm.
pub fn zsh(table: &Table) -> String {
    let escape =
        |text: &str| text.replace('\'', "'\\''").replace('[', "\\[").replace(']', "\\]").replace(':', "\\:");
    let options: String = table
        .options
        .iter()
        .map(|o| {
            let argument = if o.argument.is_empty() {
                String::new()
            } else {
                format!(":{}:_files", escape(&o.argument))
            };
            format!("    '*-{}[{}]{argument}' \\\n", o.word, escape(&o.about))
        })
        .collect();
    let commands: String =
        table.commands.iter().map(|c| format!("    '{}:{}'\n", c.name, escape(&c.about))).collect();
    let cases: String = table
        .commands
        .iter()
        .map(|c| {
            let flags: String = c
                .flags
                .iter()
                .map(|[name, value, about]| {
                    let argument =
                        if value.is_empty() { String::new() } else { format!(":{}:_files", escape(value)) };
                    format!(" '*{name}[{}]{argument}'", escape(about))
                })
                .collect();
            let rest =
                if c.arguments.contains("ROOT") { " '1:root:_files -/' '*::command:_normal'" } else { "" };
            format!(
                "    {}) words=(\"${{words[@]:1}}\"); ((CURRENT--)); _arguments{flags}{rest}; return ;;\n",
                c.name
            )
        })
        .collect();
    format!(
        "#compdef forearm\n_forearm() {{\n  local -a commands\n  commands=(\n{commands}  )\n  \
         case ${{words[2]}} in\n{cases}  esac\n  \
         if ((CURRENT == 2)) && [[ $PREFIX != -* ]]; then\n    _describe command commands\n  fi\n  \
         _arguments \\\n{options}    '1:program:_files' '*::arguments:_normal'\n}}\n_forearm \"$@\"\n"
    )
}

/// /usr/share/fish/vendor_completions.d/forearm.fish.
pub fn fish(table: &Table) -> String {
    let quote = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
    let mut text = String::from("# fish completions for forearm\n");
    let names: Vec<&str> = table.commands.iter().map(|c| &c.name[..]).collect();
    for command in &table.commands {
        text += &format!(
            "complete -c forearm -n __fish_is_first_token -a {} -d {}\n",
            command.name,
            quote(&command.about)
        );
        for [name, value, about] in &command.flags {
            let value = if value.is_empty() { "" } else { " -r" };
            text += &format!(
                "complete -c forearm -n '__fish_seen_subcommand_from {}' -l {}{value} -d {}\n",
                command.name,
                name.trim_start_matches('-'),
                quote(about)
            );
        }
    }
    for option in &table.options {
        let value = if option.argument.is_empty() { "" } else { " -r" };
        text += &format!(
            "complete -c forearm -n 'not __fish_seen_subcommand_from {}' -o {}{value} -d {}\n",
            names.join(" "),
            option.word,
            quote(&option.about)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_quoted() {
        let table = super::super::table::tests::table();
        assert!(zsh(&table).contains(r"'*-strace[log\: '\''calls'\'' \ \[all\]]' \"), "{}", zsh(&table));
        assert!(zsh(&table).contains(r"'*--bind[show it]:PATH\[\:INSIDE\]:_files'"), "{}", zsh(&table));
        assert!(fish(&table).contains(r"-o strace -d 'log: \'calls\' \\ [all]'"), "{}", fish(&table));
        assert!(bash(&table).contains("shell) flags='--bind --ephemeral --help' values='@(--bind)' ;;"));
    }
}
