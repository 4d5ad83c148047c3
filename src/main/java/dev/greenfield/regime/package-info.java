/**
 * How far first order holds: the radius of the linear regime of single sources and of all sites, measured and predicted from the
 * second derivative.
 */
package dev.greenfield.regime;
