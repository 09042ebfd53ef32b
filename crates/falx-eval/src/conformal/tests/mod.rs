mod golden;
mod promises;
mod rules;
