//! Tests of `report_text`.
