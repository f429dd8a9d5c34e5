use super::*;

fn script(command: &str) -> Result<String, BadCommand> {
    ExecCommand::parse(command).map(|parsed| match parsed {
        ExecCommand::Lines(text) => format!("lines: {text}"),
        ExecCommand::PerValue(script) => script.text.replace("${pando_value}", "$v"),
    })
}

#[test]
fn a_reference_has_the_quotes_that_its_place_needs() {
    let cases = [
        (r"expr {} \* 2", r#"expr "$v" \* 2"#),
        ("echo a{}b{}", r#"echo a"$v"b"$v""#),
        ("echo '{}'", r#"echo ''"$v"''"#),
        ("echo 'a {} b'", r#"echo 'a '"$v"' b'"#),
        (r#"echo "{}""#, r#"echo "$v""#),
        (r#"echo "a \" {} 'b'""#, r#"echo "a \" $v 'b'""#),
        ("echo $(cat {})", r#"echo $(cat "$v")"#),
        (r#"echo "$(cat {} "{}")" {}"#, r#"echo "$(cat "$v" "$v")" "$v""#),
        ("echo $(( {} * (2 + {}) )) {}", r#"echo $(( ($v) * (2 + ($v)) )) "$v""#),
        (r#"echo "${x:-a}" {}"#, r#"echo "${x:-a}" "$v""#),
        (r#"echo "${x:-it's}" {}"#, r#"echo "${x:-it's}" "$v""#),
        ("echo {} # it's {}\necho '{}'", "echo \"$v\" # it's {}\necho ''\"$v\"''"),
        ("echo a#'{}'", r#"echo a#''"$v"''"#),
        ("f() { echo {}; }; f", r#"f() { echo "$v"; }; f"#),
        ("(cd / && ls {})", r#"(cd / && ls "$v")"#),
        (
            r#"echo "$(case {} in a) echo {};; *) echo b;; esac)" {}"#,
            r#"echo "$(case "$v" in a) echo "$v";; *) echo b;; esac)" "$v""#,
        ),
        ("case {} in a) echo '{}';; esac", r#"case "$v" in a) echo ''"$v"'';; esac"#),
        ("cat <<< {}", r#"cat <<< "$v""#),
        ("echo `date` {}", r#"echo `date` "$v""#),
        ("é {} ü", r#"é "$v" ü"#),
    ];
    for (command, expected) in cases {
        assert_eq!(script(command).as_deref(), Ok(expected), "{command}");
    }
}

#[test]
fn a_backslash_keeps_the_braces() {
    let cases = [
        (r"find {} -exec wc \{} +", r#"find "$v" -exec wc \{} +"#),
        (r"echo '\{}' {}", r#"echo '{}' "$v""#),
        (r#"echo "\{}" {}"#, r#"echo "{}" "$v""#),
        (r"node -e 'const m = \{}'", "lines: node -e 'const m = {}'"),
        (r"echo \\{}", r#"echo \\"$v""#),
        ("cat", "lines: cat"),
        ("echo { } $x", "lines: echo { } $x"),
        ("echo \"unmatched", "lines: echo \"unmatched"),
    ];
    for (command, expected) in cases {
        assert_eq!(script(command).as_deref(), Ok(expected), "{command}");
    }
}

#[test]
fn a_place_without_a_safe_reference_is_refused() {
    let cases = [
        ("echo `cat {}`", "backquotes"),
        ("cat <<end\n{}\nend", "here-document"),
        ("echo ${x:-{}}", "${…}"),
        (r#"echo "{}"#, "no end"),
        ("echo '{}", "no end"),
        ("echo $(cat {}", "no end"),
        (r"echo $'it\'s' {}", "no end"),
    ];
    for (command, why) in cases {
        let refused = script(command).expect_err(command).to_string();
        assert!(refused.contains(why), "{command}: {refused}");
    }
}

#[test]
fn only_a_shell_that_computes_with_the_value_needs_a_number() {
    for (command, expected) in [("echo $(({} + 1))", true), ("echo $(expr {} + 1)", false)] {
        let Ok(ExecCommand::PerValue(script)) = ExecCommand::parse(command) else {
            panic!("{command} runs once per value");
        };
        assert_eq!(script.is_number, expected, "{command}");
    }
}
