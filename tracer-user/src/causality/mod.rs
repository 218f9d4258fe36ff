//! causality.
