//! Tests of `recorder`.
