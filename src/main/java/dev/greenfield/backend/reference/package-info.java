/**
 * The float64 backend: plain loops that read like the definitions. It is the oracle that every other backend is tested
 * against, so clarity comes before speed everywhere. Nothing here may depend on another backend.
 */
package dev.greenfield.backend.reference;
