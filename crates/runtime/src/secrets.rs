//! Random passwords, salts and tokens.
