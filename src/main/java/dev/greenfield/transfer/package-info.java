/**
 * What can be carried from one run or model to another: the displacement between two prompts' runs, put in at single sites, depths,
 * tokens and chosen sites. Works on engine runs with the measures of package response; nothing here knows files or the command line.
 */
package dev.greenfield.transfer;
