/**
 * Models of the Hugging Face hub: their names, the cache that Hugging Face's own programs share, and the transfer of files into it when
 * that is asked for. What files a model needs is no matter of this package.
 */
package dev.greenfield.hub;
