/**
 * What the stream and directions in it mean in words: the logit lens, the Jacobian lens, and the tokens that a direction writes and
 * reads. It only reads: what makes directions is in other rooms.
 */
package dev.greenfield.lens;
