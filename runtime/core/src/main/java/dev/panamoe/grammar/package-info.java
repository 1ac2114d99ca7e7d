/// Structured output: which tokens may come next so that the text obeys a grammar. Begin at `Grammar`, which `Gbnf` and
/// `JsonSchema` make; `GrammarConstraint` holds one text against it while the text is generated.
package dev.panamoe.grammar;
