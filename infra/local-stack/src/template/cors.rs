//! A bucket's rules for requests of pages that another origin has served.

use serde_json::Value;

use super::{CorsRule, REGION, Reader, URL_SUFFIX, number, text};
use crate::error::{Result, StackError};
use crate::iam::matches;

impl Reader<'_> {
    /// The rules of a `CorsConfiguration`. Where one takes pages of the API as it is on AWS, it takes those of the API on this machine.
    pub(super) fn cors(&self, configuration: &Value) -> Result<Vec<CorsRule>> {
        let rules = configuration["CorsRules"].as_array().map(Vec::as_slice).unwrap_or_default();
        let resources = self.template["Resources"].as_object().into_iter().flatten();
        let apis = resources.filter(|(_, resource)| resource["Type"] == "AWS::Serverless::HttpApi");
        let names: Vec<String> = apis.map(|(id, _)| self.evaluator.physical_name(id)).collect::<Result<_>>()?;
        let on_aws = |name: &String| format!("https://{name}.execute-api.{REGION}.{URL_SUFFIX}");
        rules
            .iter()
            .map(|rule| {
                let list = |name: &str| -> Vec<String> {
                    rule[name].as_array().into_iter().flatten().filter_map(text).collect()
                };
                let mut origins = list("AllowedOrigins");
                if let Some(origin) = origins.iter().find(|origin| origin.matches('*').count() > 1) {
                    return Err(StackError::new(format!("the origin {origin:?} has more than one *")));
                }
                let takes = |name: &String| origins.iter().any(|origin| matches(origin, &on_aws(name)));
                if names.iter().any(takes) {
                    origins.push(self.evaluator.api_url().to_owned());
                }
                Ok(CorsRule {
                    origins,
                    methods: list("AllowedMethods"),
                    headers: list("AllowedHeaders").iter().map(|name| name.to_lowercase()).collect(),
                    exposed: list("ExposedHeaders"),
                    max_age: number(&rule["MaxAge"]),
                })
            })
            .collect()
    }
}
