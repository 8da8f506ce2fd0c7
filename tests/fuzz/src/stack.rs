//! The local stack's reader of templates, as far as JSON.

#[path = "../../../infra/local-stack/src/template/yaml.rs"]
mod yaml;

/// Reads a template.
pub fn template(text: &str) {
    if let Err(error) = yaml::parse(text) {
        assert!(!error.chain().is_empty());
    }
}
