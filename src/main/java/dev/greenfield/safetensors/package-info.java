/**
 * Reading and writing safetensors files. Stands alone: it depends on no other package of Greenfield and can be used without
 * it. A file is believed only after every number in its header has been checked against the file itself.
 */
package dev.greenfield.safetensors;
