/**
 * The response map: how much every site responds to every other. What is asked for, how it is cut into batches, one sweep that takes
 * all sites in as it climbs, and what comes of it.
 */
package dev.greenfield.map;
