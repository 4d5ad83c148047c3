/**
 * What a caller can meet: input that is not what was expected, backends that cannot be had, memory that does not suffice, and how long calls are stopped and
 * watched. Messages say what was found, what was expected and what to do. This package depends on no other.
 */
package dev.greenfield.failure;
