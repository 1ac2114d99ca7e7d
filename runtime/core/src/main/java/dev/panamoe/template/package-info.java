/// Chat templates: the Jinja that model files carry, rendered as Python renders it, within limits. Begin at
/// `ChatTemplate`.
package dev.panamoe.template;
