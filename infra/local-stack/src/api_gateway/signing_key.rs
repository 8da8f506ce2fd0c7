//! The key that signs tokens on this machine, with RS256 (RFC 7518 section 3.3): the only kind that a JWT authorizer of API
//! Gateway takes.

use std::path::Path;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::token::ALGORITHM;
use crate::data_dir::{Issuer, write_private};
use crate::error::{Context, Result};

/// A key pair that signs tokens.
pub struct SigningKey {
    pub(super) pair: RsaKeyPair,
    /// The public key's numbers, as a JSON Web Key has them (RFC 7518 section 6.3.1).
    pub(super) modulus: String,
    pub(super) exponent: String,
    /// What tokens call the key: its thumbprint (RFC 7638).
    pub(super) id: String,
}

impl SigningKey {
    /// The key in a file, which is made when there is none.
    pub(crate) fn open(file: &Path) -> Result<Self> {
        if !file.exists() {
            let what = "could not make a key for tokens";
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).context(what)?;
            let der: Pkcs8V1Der = pair.as_der().context(what)?;
            write_private(file, der.as_ref())?;
        }
        Self::read(file)
    }

    /// The key in a file.
    ///
    /// # Errors
    /// If the file can't be read, or holds no key.
    pub fn read(file: &Path) -> Result<Self> {
        let what = || format!("could not read the key in {}", file.display());
        let der = std::fs::read(file).context(what())?;
        let pair = RsaKeyPair::from_pkcs8(&der).context(what())?;
        let public = pair.public_key();
        let modulus = BASE64.encode(public.modulus().big_endian_without_leading_zero());
        let exponent = BASE64.encode(public.exponent().big_endian_without_leading_zero());
        let members = format!(r#"{{"e":"{exponent}","kty":"RSA","n":"{modulus}"}}"#);
        Ok(Self { pair, modulus, exponent, id: BASE64.encode(Sha256::digest(members)) })
    }

    /// A token with these claims.
    ///
    /// # Errors
    /// If the system gives no random numbers.
    pub fn sign(&self, claims: &Value) -> Result<String> {
        let header = json!({ "alg": ALGORITHM, "kid": self.id, "typ": "JWT" });
        let signed = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let random = SystemRandom::new();
        self.pair
            .sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature)
            .context("could not sign a token")?;
        Ok(format!("{signed}.{}", BASE64.encode(signature)))
    }

    /// The JSON Web Key Set that tells the public key (RFC 7517 section 5).
    pub(super) fn key_set(&self) -> Value {
        let (id, n, e) = (&self.id, &self.modulus, &self.exponent);
        json!({ "keys": [{ "kty": "RSA", "use": "sig", "alg": ALGORITHM, "kid": id, "n": n, "e": e }] })
    }
}

/// Who has a token, who made it, and what it allows.
#[derive(Debug)]
pub struct Grant<'a> {
    /// The account that the token is for.
    pub account: &'a str,
    /// Who asks: the token's subject, and its e-mail address if it is one.
    pub subject: &'a str,
    /// What it allows.
    pub scopes: &'a [String],
    /// From when it is valid, in seconds since 1970.
    pub issued: i64,
    /// Until when, in seconds since 1970.
    pub expires: i64,
}

impl Grant<'_> {
    /// The claims that say so. The account is in an attribute of its own, named as Cognito names one.
    pub fn claims(&self, issuer: &Issuer) -> Value {
        let mut claims = json!({
            "iss": issuer.url,
            "aud": issuer.audience,
            "sub": self.subject,
            "iat": self.issued,
            "exp": self.expires,
            "scope": self.scopes.join(" "),
            "custom:account": self.account,
        });
        if self.subject.contains('@') {
            claims["email"] = self.subject.into();
        }
        claims
    }
}
