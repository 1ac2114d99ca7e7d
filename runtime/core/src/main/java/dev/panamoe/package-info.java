/// What every package shares. Begin at `dev.panamoe.engine.Engine`.
package dev.panamoe;
