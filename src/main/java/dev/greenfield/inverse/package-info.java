/**
 * The inverse problem: from wanted changes of a run to sources that cause them, and from a response to the site of the source that
 * caused it. Least squares over sensitivities and Green operators, and the loop that linearizes again where first order ends.
 * Nothing here computes a response of its own: that is the work of {@link dev.greenfield.response}.
 */
package dev.greenfield.inverse;
