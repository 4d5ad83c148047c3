/**
 * Results for people: self-contained HTML pages with charts, and heat maps for a terminal. Takes plain arrays and labels;
 * knows nothing of models or engines.
 */
package dev.greenfield.report;
