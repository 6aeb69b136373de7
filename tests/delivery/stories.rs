//! Single promises, told one by one.
