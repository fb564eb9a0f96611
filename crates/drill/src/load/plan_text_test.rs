//! Tests of `plan_text`.
