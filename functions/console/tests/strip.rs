//! What is taken out of scripts and styles, and what isn't.

#[path = "../build/strip.rs"]
mod strip;

use strip::{script, style};

#[test]
fn comments_and_indentation_go_and_all_else_stays() {
    for (written, served) in [
        (
            "// One.\n/** Two.\n * Three. */\nconst a = 1; // four\n\n  f(a); /* five */ g();\n",
            "const a = 1;\nf(a);  g();\n",
        ),
        ("const a = 'http://x'; const b = \"/* no */\"; // yes\n", "const a = 'http://x'; const b = \"/* no */\";\n"),
        ("const a = 'it\\'s // no';\n", "const a = 'it\\'s // no';\n"),
        ("return\n/* a\n b */ 1\n", "return\n 1\n"),
        ("const half = a / 2; // of it\nconst c = b / 2 / 1;\n", "const half = a / 2;\nconst c = b / 2 / 1;\n"),
        ("x.replace(/[/'\"`]\\//g, ''); // no\n", "x.replace(/[/'\"`]\\//g, '');\n"),
        ("return /^\\/\\//.test(a); // b\n", "return /^\\/\\//.test(a);\n"),
    ] {
        assert_eq!(script(written), served);
    }
    assert_eq!(style("/* a */\na {\n  b: url(\"/*x*/\"); /* c */\n}\n"), "a {\nb: url(\"/*x*/\");\n}\n");
}

#[test]
fn a_template_is_a_text_but_for_what_htm_ignores() {
    // Whoever reads the text sees every space of it.
    let text = "const a = `one\n    // two ${b ? `x\n  y` : { c: '}' }.c}\n`;\n";
    assert_eq!(script(text), text);
    // What is in a template of html is no comment, and its code is code.
    let written = "\n  html`<a href=\"http://x\">\n    // text ${ /* no */ list.map(one => html`\n      <b>${one}</b>`)}\n  </a>`; // end\n";
    assert_eq!(
        script(written),
        "html`<a href=\"http://x\">\n// text ${  list.map(one => html`\n<b>${one}</b>`)}\n</a>`;\n"
    );
    assert_eq!(script("myhtml`\n  a`"), "myhtml`\n  a`");
}
