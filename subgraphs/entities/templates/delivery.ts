/** What is running where, and the workflows that run on it. */
import type { Template } from './template.ts';

export const delivery: Template = {
  name: 'delivery',
  label: 'Delivery',
  description: 'Deployments of software, and the workflows that run on them.',
  entities: [
    {
      name: 'deployment',
      label: 'Deployment',
      description: 'One release of one application in one environment.',
      icon: 'rocket',
      limits: { createsPerHour: 100 },
      permissions: [
        // Settings hold what only those who deploy should know.
        {
          role: 'VIEWER',
          operations: ['READ'],
          readableFields: [
            ...['name', 'environment', 'status', 'release', 'commit', 'url', 'startedAt', 'finishedAt'],
          ],
        },
        {
          role: 'USER',
          operations: ['READ'],
          readableFields: [
            ...['name', 'environment', 'status', 'release', 'commit', 'url', 'startedAt', 'finishedAt'],
          ],
        },
      ],
      fields: [
        {
          name: 'name',
          label: 'Name',
          type: 'TEXT',
          isRequired: true,
          validation: { minLength: 1, maxLength: 200 },
        },
        {
          name: 'environment',
          label: 'Environment',
          type: 'SELECT',
          isRequired: true,
          defaultValue: 'DEVELOPMENT',
          options: [
            { value: 'DEVELOPMENT', label: 'Development' },
            { value: 'STAGING', label: 'Staging' },
            { value: 'PRODUCTION', label: 'Production' },
          ],
        },
        {
          name: 'status',
          label: 'Status',
          type: 'SELECT',
          isRequired: true,
          defaultValue: 'PENDING',
          options: [
            { value: 'PENDING', label: 'Pending' },
            { value: 'RUNNING', label: 'Running' },
            { value: 'SUCCEEDED', label: 'Succeeded' },
            { value: 'FAILED', label: 'Failed' },
            { value: 'ROLLED_BACK', label: 'Rolled back' },
          ],
        },
        {
          name: 'release',
          label: 'Release',
          description: 'A version such as "2.4.1".',
          type: 'TEXT',
          validation: { maxLength: 100 },
        },
        { name: 'commit', label: 'Commit', type: 'TEXT', validation: { pattern: '^[0-9a-f]{7,64}$' } },
        { name: 'url', label: 'Address', type: 'URL' },
        { name: 'startedAt', label: 'Started at', type: 'DATETIME' },
        { name: 'finishedAt', label: 'Finished at', type: 'DATETIME' },
        { name: 'settings', label: 'Settings', type: 'JSON' },
      ],
    },
    {
      name: 'workflow',
      label: 'Workflow',
      description: 'Steps that run by themselves.',
      icon: 'git-branch',
      limits: { createsPerHour: 50 },
      permissions: [
        { role: 'VIEWER', operations: ['READ'] },
        // Turning one on and off, and when it runs; what it does is for developers.
        { role: 'USER', operations: ['READ', 'UPDATE'], writableFields: ['isEnabled', 'schedule'] },
      ],
      fields: [
        {
          name: 'name',
          label: 'Name',
          type: 'TEXT',
          isRequired: true,
          validation: { minLength: 1, maxLength: 200 },
        },
        {
          name: 'trigger',
          label: 'Trigger',
          type: 'SELECT',
          isRequired: true,
          defaultValue: 'MANUAL',
          options: [
            { value: 'MANUAL', label: 'By hand' },
            { value: 'SCHEDULE', label: 'On a schedule' },
            { value: 'WEBHOOK', label: 'By a webhook' },
            { value: 'CHANGE', label: 'On a change of a record' },
          ],
        },
        {
          name: 'schedule',
          label: 'Schedule',
          description: 'A cron expression.',
          type: 'TEXT',
          validation: { maxLength: 100 },
        },
        { name: 'isEnabled', label: 'Enabled', type: 'BOOLEAN', defaultValue: true },
        { name: 'steps', label: 'Steps', type: 'JSON' },
        { name: 'lastRunAt', label: 'Last run at', type: 'DATETIME' },
        {
          name: 'successRate',
          label: 'Success rate',
          description: 'From 0 to 1.',
          type: 'NUMBER',
          validation: { min: 0, max: 1 },
        },
        {
          name: 'deployment',
          label: 'Deployment',
          description: 'Where it runs.',
          type: 'RELATION',
          targetEntity: 'deployment',
          inverseName: 'workflows',
          onDelete: 'SET_NULL',
        },
      ],
    },
  ],
};
